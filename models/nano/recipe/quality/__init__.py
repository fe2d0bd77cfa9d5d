"""The parts of `quality.py`: each measures one thing of an embedded model on data that its training never saw."""
