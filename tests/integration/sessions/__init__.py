"""Sessions: lists, views, history, changes and costs."""
