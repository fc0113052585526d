"""The test set: what a model is asked to find out what it can do. Judged by code, at temperature 0."""
