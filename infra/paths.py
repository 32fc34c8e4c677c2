"""Where things are in this folder."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
FUNCTIONS = ROOT / "functions"
WEB = ROOT / "web"
LOCK = ROOT / "requirements.lock"
CACHE = ROOT / ".spandrel"  # everything that is made here and can be made again
