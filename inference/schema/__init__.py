"""What Swagger shows of the endpoints: bodies, examples and errors."""
