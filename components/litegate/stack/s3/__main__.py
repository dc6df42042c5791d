"""`python -m litegate.stack.s3 HOST PORT FOLDER`: serve what is kept in a folder; the keys are in the environment."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

from litegate.stack.s3.conditional import Conditional
from litegate.stack.s3.durable import Durable
from litegate.stack.s3.kept import Kept
from litegate.stack.s3.signatures import Signed

logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
host, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
keys = {os.environ["AWS_ACCESS_KEY_ID"]: os.environ["AWS_SECRET_ACCESS_KEY"]}
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
kept = Kept(folder)
kept.restore()
application = Signed(Durable(Conditional(DomainDispatcherApplication(create_backend_app)), kept), keys)
run_simple(host, port, application, threaded=True, request_handler=MotoRequestHandler)
