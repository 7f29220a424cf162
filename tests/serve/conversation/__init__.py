"""What words mean."""
