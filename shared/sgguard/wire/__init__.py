"""HTTP to a cloud: client, deadlines, retries, rates, parallel calls and signature schemes."""
