"""Everything that needs the `train` extra: data, pipeline, export and model card."""
