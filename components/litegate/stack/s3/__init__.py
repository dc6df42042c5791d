"""The embedded S3 server: moto's, which asks for its keys and answers only what is on disk.

    python -m litegate.stack.s3 HOST PORT FOLDER

It is for objects that users put there by hand or that the example makes; the workspace is a folder of its own.
"""
