"""The pages that lead from a file, a repository or a URL to a registered model."""
