// Error details go to the client in the trailer grpc-status-details-bin, as every gRPC library
// expects them: a serialised google.rpc.Status, which repeats code and message.
#include "runtime/coordinator/rpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "proto/error_details.pb.h"

namespace rm::coordinator {

namespace pb = ::ringmaster::v1;

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  pb::RpcStatus details;
  details.set_code(static_cast<int32_t>(status.code()));
  details.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    google::protobuf::Any& any = *details.add_details();
    any.set_type_url(std::string(type_url));
    any.set_value(std::string(payload));
  });
  // Without details no trailer: most errors stay as small as they are.
  if (details.details().empty()) return {code, details.message()};
  return {code, details.message(), details.SerializeAsString()};
}

}  // namespace rm::coordinator
