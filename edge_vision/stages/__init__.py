"""The bodies of the pipeline's threads; `pipeline.py` connects them."""
