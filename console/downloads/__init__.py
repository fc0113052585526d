"""The list of downloads, which follows them."""
