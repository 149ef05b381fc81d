"""The shipped strategies: plain files, one a strategy, made to be copied and changed."""
