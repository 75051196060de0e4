"""What a message to everybody costs, how soon it is saved, and what a connection weighs."""

import os

# Our servers are started by fork and exec; gRPC's own ideas about fork get in the way of that now and then.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
