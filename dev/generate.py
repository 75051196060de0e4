"""`make proto`: the Python of `proto/*.proto`, which is committed.

Generated code refuses a runtime older than its generator, so the generator is older than the runtime that the
lock pins, and lives in an environment of its own.
"""

import os
import subprocess

from dev.tools import ROOT, installed

GENERATOR = ("grpcio-tools==1.76.0", "mypy-protobuf==5.1.0")


def main() -> None:
    programs = installed("proto", *GENERATOR)
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "proto").glob("*.proto"))
    outputs = [f"--{kind}_out=." for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    subprocess.run(
        [programs / "python", "-m", "grpc_tools.protoc", "-I", ".", *outputs, *sources],
        cwd=ROOT,
        # protoc finds the plugins of mypy-protobuf on the PATH.
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        check=True,
    )
    for source in sources:
        if "\nservice " not in (ROOT / source).read_text():
            for leftover in (ROOT / "proto").glob(f"{(ROOT / source).stem}_pb2_grpc.py*"):
                leftover.unlink()
    print(f"Generated from {', '.join(sources)}.")


if __name__ == "__main__":
    main()
