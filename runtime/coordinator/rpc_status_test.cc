#include "runtime/coordinator/rpc_status.h"

#include <catch2/catch.hpp>

#include "absl/strings/cord.h"
#include "proto/error_details.pb.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

TEST_CASE("code and message cross over") {
  CHECK(ToGrpc(absl::OkStatus()).ok());
  const grpc::Status status = ToGrpc(absl::ResourceExhaustedError("too big"));
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(status.error_message() == "too big");
  CHECK(status.error_details().empty());
}

TEST_CASE("every code is the same number on both sides") {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpc(absl::Status(static_cast<absl::StatusCode>(code), "x"));
    CHECK(static_cast<int>(status.error_code()) == code);
  }
}

TEST_CASE("payloads become the details of a google.rpc.Status") {
  pb::BadRequest bad;
  bad.add_field_violations()->set_field("train.steps");
  absl::Status status = absl::InvalidArgumentError("the job is invalid");
  status.SetPayload("type.googleapis.com/google.rpc.BadRequest",
                    absl::Cord(bad.SerializeAsString()));
  pb::RpcStatus details;
  REQUIRE(details.ParseFromString(ToGrpc(status).error_details()));
  CHECK(details.code() == 3);
  CHECK(details.message() == "the job is invalid");
  REQUIRE(details.details_size() == 1);
  CHECK(details.details(0).type_url() == "type.googleapis.com/google.rpc.BadRequest");
  pb::BadRequest back;
  REQUIRE(back.ParseFromString(details.details(0).value()));
  CHECK(back.field_violations(0).field() == "train.steps");
}

}  // namespace
}  // namespace rm::coordinator
