"""`python -m infra.findings`: what cdk-nag and cfn-lint say of the template. Exit code 0 if nothing.

Of two templates: that of the defaults, and that of settings which bring in all that is optional.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.paths import CACHE
from infra.synth import synthesise

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "defaults": {},
    "everything": {
        "alarm_email": "on-call@example.com",
        "access_log": True,
        "snap_start": True,
        "athena_attributes": ["span.http.route:string"],
        "custom_domain": {
            "name": "traces.example.com",
            "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d",
        },
    },
}
# W3005: CDK writes out each function's dependency on its role, which follows from the role's ARN anyway.
CFN_LINT = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", "W3005", "--"]


def main() -> int:
    """CDK itself prints what cdk-nag finds, before it refuses to synthesise."""
    clean = True
    for name, settings in VARIANTS.items():
        try:
            assembly = synthesise(CACHE / "checked" / name, settings=settings, with_nag=True)
        except RuntimeError as error:  # jsii's only way to say that CDK threw
            print(f"{name}: cdk-nag or CDK refuses the stack: {error}", file=sys.stderr)
            clean = False
            continue
        templates = [str(path) for path in assembly.glob("*.template.json")]
        clean &= subprocess.run([*CFN_LINT, *templates], check=False).returncode == 0
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
