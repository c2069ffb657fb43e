"""Runs a pipeline with FlowerPower and nothing of ours, and prints what it has resolved and what came out, as JSON.

Its arguments are the project's folder, the pipeline, and the run-time arguments as JSON.
"""

import json
import sys

from flowerpower import FlowerPowerProject
from flowerpower.cfg import Config
from flowerpower.utils.config import merge_run_config_with_kwargs


def main(folder: str, pipeline: str, arguments: str) -> dict:
    kwargs = json.loads(arguments)
    try:
        config = Config.load(base_dir=folder, pipeline_name=pipeline)
        run = merge_run_config_with_kwargs(config.pipeline.run, json.loads(arguments))
        result = FlowerPowerProject.load(folder).pipeline_manager.run(pipeline, max_retries=0, **kwargs)
    except Exception as error:
        while error.__cause__ is not None:
            error = error.__cause__
        return {"error": f"{type(error).__name__}: {error}"}
    resolved = {
        **{f"inputs.{key}": value for key, value in (run.inputs or {}).items()},
        **{f"config.{key}": value for key, value in (run.config or {}).items()},
        **{f"params.{key}": value for key, value in config.pipeline.params.items()},
        **{f"executor.{name}": getattr(run.executor, name) for name in ("type", "max_workers", "num_cpus")},
        **{f"with_adapter.{name}": getattr(run.with_adapter, name) for name in run.with_adapter.__struct_fields__},
        **{f"retry.{name}": getattr(run.retry, name) for name in ("max_retries", "retry_delay", "jitter_factor")},
        "retry.retry_exceptions": [getattr(each, "__name__", each) for each in run.retry.retry_exceptions],
        "final_vars": run.final_vars,
        "log_level": run.log_level,
        "adapter.hamilton_tracker.dag_name": config.pipeline.adapter.hamilton_tracker.dag_name,
        "project.adapter.hamilton_tracker.api_url": config.project.adapter.hamilton_tracker.api_url,
    }
    return {"resolved": resolved, "result": result}


print("\n" + json.dumps(main(*sys.argv[1:])))
