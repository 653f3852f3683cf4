"""What is kept between deliveries: SQLite by default, PostgreSQL where many machines share it."""
