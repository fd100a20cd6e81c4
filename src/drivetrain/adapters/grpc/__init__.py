"""gRPC: Open Inference Protocol V2 on a port of its own, for Triton's and KServe's clients."""

from drivetrain.adapters.grpc.server import GrpcTransport

transport = GrpcTransport

__all__ = ["GrpcTransport", "transport"]
