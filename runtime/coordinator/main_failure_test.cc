// The program whose journal cannot be written any more. In a file of its own: the test itself is a
// client of it (see test_program.h).
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "proto/api.grpc.pb.h"
#include "runtime/coordinator/test_program.h"
#include "runtime/journal/journal.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// A job of about 100 KB.
pb::SubmitRequest BigRequest() {
  pb::SubmitRequest request;
  pb::JobSpec& spec = *request.mutable_spec();
  spec.set_api_version("ringmaster/v1");
  spec.set_kind("train");
  spec.set_name("big");
  spec.mutable_model()->set_zoo("mlp");
  spec.mutable_data()->mutable_train()->set_path("/data/train");
  spec.mutable_data()->mutable_train()->set_format("idx");
  spec.mutable_train()->set_steps(10);
  spec.mutable_train()->set_global_batch_size(64);
  spec.mutable_train()->mutable_optimizer()->set_type("SGD");
  (*spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 0.1;
  for (int i = 0; i < 1000; ++i) {
    request.add_source_positions()->set_field_path(std::string(100, 'x'));
  }
  return request;
}

TEST_CASE("a journal that cannot be written ends the program with one line and exit code 1") {
  const base::TemporaryFolder folder;
  // No file of the program may grow beyond 1 MB: a disk that is full for it alone.
  Program program({"--state", folder.File("state"), "--listen", "127.0.0.1:0", "--address-file",
                   folder.File("address")},
                  [] {
                    std::signal(SIGXFSZ, SIG_IGN);
                    const rlimit limit = {1'000'000, 1'000'000};
                    setrlimit(RLIMIT_FSIZE, &limit);
                  });
  (void)program.ReadUntil("serving on");
  const std::vector<std::string> lines = absl::StrSplit(
      base::PosixFileSystem().ReadFile(folder.File("address")).value(), '\n');
  const auto channel = grpc::CreateChannel(lines.at(0), grpc::InsecureChannelCredentials());
  const auto jobs = pb::Jobs::NewStub(channel);
  std::vector<std::string> answered;
  grpc::Status status;
  while (answered.size() < 100) {
    grpc::ClientContext context;
    pb::SubmitReply reply;
    status = jobs->Submit(&context, BigRequest(), &reply);
    if (!status.ok()) break;
    answered.push_back(reply.job_id());
  }
  CHECK(status.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(answered.size() > 2);

  const std::string said = program.ReadAll();
  CHECK(program.Wait() == 1);
  const std::string line =
      absl::StrCat("ringmaster-coordinator: journal ", folder.File("state/journal.db"), ": ");
  const size_t at = said.find(line);
  INFO(said);
  REQUIRE(at != std::string::npos);
  CHECK(said.find('\n', at) == said.size() - 1);  // the last line, and one line

  // All that was answered is there, for the next start.
  auto journal = journal::Journal::Open(folder.File("state/journal.db"));
  REQUIRE(journal.ok());
  std::vector<std::string> kept;
  REQUIRE((*journal)
              ->Replay([&](int64_t, const pb::JournalRecord& record) {
                for (const pb::Event& event : record.events()) {
                  if (event.has_submit()) kept.push_back(event.submit().job_id());
                }
                return absl::OkStatus();
              })
              .ok());
  for (const std::string& job_id : answered) {
    CHECK(std::find(kept.begin(), kept.end(), job_id) != kept.end());
  }
}

}  // namespace
}  // namespace rm::coordinator
