"""Work spread over processes and machines with dask.distributed."""
