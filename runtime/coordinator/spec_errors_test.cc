#include "runtime/coordinator/spec_errors.h"

#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "proto/error_details.pb.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

pb::BadRequest DetailsOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kBadRequestUrl);
  REQUIRE(payload.has_value());
  pb::BadRequest details;
  REQUIRE(details.ParseFromString(std::string(*payload)));
  return details;
}

pb::SubmitRequest ValidRequest() {
  pb::SubmitRequest request;
  pb::JobSpec& spec = *request.mutable_spec();
  spec.set_api_version("ringmaster/v1");
  spec.set_kind("train");
  spec.set_name("mnist");
  spec.mutable_model()->set_zoo("mlp");
  spec.mutable_data()->mutable_train()->set_path("/data/train");
  spec.mutable_data()->mutable_train()->set_format("idx");
  spec.mutable_train()->set_steps(10);
  spec.mutable_train()->set_global_batch_size(64);
  spec.mutable_train()->mutable_optimizer()->set_type("SGD");
  (*spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 0.1;
  spec.mutable_resources()->set_ranks_min(2);
  spec.mutable_resources()->set_ranks_max(2);
  return request;
}

TEST_CASE("all diagnostics become violations, those with a place begin with it") {
  const absl::Status status =
      SpecError({{12, 5, "train.epoch", "unknown key"}, {0, 0, "name", "is missing"}});
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() == "the job is invalid: train.epoch: unknown key (and 1 more)");
  const pb::BadRequest details = DetailsOf(status);
  REQUIRE(details.field_violations_size() == 2);
  CHECK(details.field_violations(0).field() == "train.epoch");
  CHECK(details.field_violations(0).description() == "12:5: unknown key");
  CHECK(details.field_violations(1).description() == "is missing");
}

TEST_CASE("a valid request passes, and what it left out is filled in") {
  pb::SubmitRequest request = ValidRequest();
  const absl::Status status = CheckSubmission(&request);
  INFO(status);
  CHECK(status.ok());
  CHECK(request.spec().resources().slots_per_rank() == 1);
  CHECK(request.spec().resources().placement() == "pack");
}

TEST_CASE("an invalid field is reported with the place that the client sent for it") {
  pb::SubmitRequest request = ValidRequest();
  request.mutable_spec()->mutable_train()->set_global_batch_size(-1);
  pb::SourcePosition& position = *request.add_source_positions();
  position.set_field_path("train.global_batch_size");
  position.set_line(7);
  position.set_column(3);
  const absl::Status status = CheckSubmission(&request);
  REQUIRE(absl::IsInvalidArgument(status));
  bool found = false;
  const pb::BadRequest details = DetailsOf(status);
  for (const auto& violation : details.field_violations()) {
    if (violation.field() != "train.global_batch_size") continue;
    found = true;
    CHECK(absl::StartsWith(violation.description(), "7:3: "));
  }
  CHECK(found);
}

}  // namespace
}  // namespace rm::coordinator
