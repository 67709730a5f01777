"""Put a forged record of a run into Dagster's database, made from a real one, and into the queue; prints JSON.

python - RUN KIND
"""

import json
import sys

from dagster import DagsterInstance
from dagster._core.code_pointer import FileCodePointer, ModuleCodePointer
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster._core.utils import make_new_run_id

run_id, kind = sys.argv[1:3]
with DagsterInstance.get() as instance:
    run = instance.get_run_by_id(run_id)
    code, origin = run.job_code_origin, run.remote_job_origin
    repository = code.repository_origin
    if kind == "flags":
        kwargs = {"privileged": True, "user": "0", "volumes": ["/:/host"], "cap_drop": []}
        repository = repository._replace(container_context={"docker": {"container_kwargs": kwargs}})
    elif kind == "image":
        repository = repository._replace(container_image="archive-pipeline-postgres:under-test")
    elif kind == "code":
        pointer = FileCodePointer(python_file="/data/store/evil.py", fn_name="defs", working_directory="/data/store")
        repository = repository._replace(code_pointer=pointer)
    elif kind == "folder":
        pointer = repository.code_pointer._replace(working_directory="/data/store")
        repository = repository._replace(code_pointer=pointer)
    elif kind == "module":
        repository = repository._replace(code_pointer=ModuleCodePointer("os", "system", working_directory=None))
    elif kind == "location":
        owner = origin.repository_origin
        location = owner.code_location_origin._replace(location_name="host")
        origin = origin._replace(repository_origin=owner._replace(code_location_origin=location))
    forged = run._replace(
        run_id=make_new_run_id(),
        status=DagsterRunStatus.QUEUED,
        job_code_origin=code._replace(repository_origin=repository),
        remote_job_origin=origin,
        tags={},
    )
    instance.add_run(forged)
    print(json.dumps({"run": forged.run_id}))
