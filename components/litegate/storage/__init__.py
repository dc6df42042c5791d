"""Local folders and S3: the users' objects, and the workspace that keeps results and files by their content."""
