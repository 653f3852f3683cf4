"""The clouds in one process: state apart from wire, faithful to the documented unpleasantness."""
