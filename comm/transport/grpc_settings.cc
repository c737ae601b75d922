#include "comm/transport/grpc_settings.h"

#include <grpcpp/grpcpp.h>

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
    // A whole segment in flight, without a round trip for more window.
    {GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 8 << 20},
    // Windows are set above; probing for them would add pings between the data.
    {GRPC_ARG_HTTP2_BDP_PROBE, 0},
    // One HTTP/2 frame a segment, as far as HTTP/2 allows, instead of one every 16 KiB.
    {GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20},
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
    // A peer that does not listen yet is tried again soon.
    {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50},
    {GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50},
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

void ApplyGrpcServerSettings(grpc::ServerBuilder& builder) {
  for (const Setting& setting : kCommon) builder.AddChannelArgument(setting.name, setting.value);
  for (const Setting& setting : kServer) builder.AddChannelArgument(setting.name, setting.value);
}

}  // namespace rm::comm
