"""Payment before inventory: the order saga of an article, each task with a Catch into the reverse chain."""
