#include "comm/transport/grpc_settings.h"

#include <grpcpp/grpcpp.h>

#include <malloc.h>

#include <climits>

#include "comm/transport/frame.h"

namespace rm::comm {
namespace {

struct Setting {
  const char* name;
  int value;
};

// Both sides of a connection.
constexpr Setting kCommon[] = {
    // A message is one frame.
    {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, static_cast<int>(kFrameBytesMax)},
    {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, static_cast<int>(kFrameBytesMax)},
    // A segment may be on the way before the receiver knows how long it is.
    {GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1 << 20},
    // A few HTTP/2 frames a segment instead of one every 16 KiB.
    {GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 128 << 10},
    // Keepalive off: liveness is the coordinator's, and a ping behind data would be late.
    {GRPC_ARG_KEEPALIVE_TIME_MS, INT_MAX},
};

constexpr Setting kClient[] = {
    // An edge has its own connection, not shared with another edge to the same address.
    {GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1},
    // A retry would send from memory that has changed since.
    {GRPC_ARG_ENABLE_RETRIES, 0},
    // Ranks talk to each other directly, whatever the environment says about the web.
    {GRPC_ARG_ENABLE_HTTP_PROXY, 0},
    {GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1},
    // A peer that does not listen yet is tried again soon. The least backoff stays as it is: it is
    // also how long an attempt may take, and a peer on a busy machine takes its time to answer.
    {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50},
    {GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500},
};

constexpr Setting kServer[] = {
    // Two processes on one port would be a mistake, not load balancing.
    {GRPC_ARG_ALLOW_REUSEPORT, 0},
};

}  // namespace

std::shared_ptr<grpc::Channel> MakeGrpcChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  for (const Setting& setting : kCommon) arguments.SetInt(setting.name, setting.value);
  for (const Setting& setting : kClient) arguments.SetInt(setting.name, setting.value);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void ApplyGrpcServerSettings(const std::string& host, grpc::ServerBuilder& builder) {
  // Windows that follow the bandwidth-delay product are what a network needs. Between processes of
  // one machine there is no delay, and data that waits is data that has left the cache: there the
  // least window is the fastest (half the CPU time of the widest).
  const bool local = host == "127.0.0.1" || host == "::1" || host == "localhost";
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, local ? 0 : 1);
  for (const Setting& setting : kCommon) builder.AddChannelArgument(setting.name, setting.value);
  for (const Setting& setting : kServer) builder.AddChannelArgument(setting.name, setting.value);
}

void KeepFreedMemory() {
  static const bool done = [] {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace rm::comm
