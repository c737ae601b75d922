// trainctl checkpoint: what is there, and whether every byte of it is what was written.

#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// A checkpoint that does not count says why.
std::string CheckpointTable(const pb::ListCheckpointsReply& reply) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "STEP", "SIZE", "CREATED", "COUNTS", "PROBLEM"}};
  for (const pb::CheckpointInfo& info : reply.checkpoints()) {
    rows.push_back({info.name(), absl::StrCat(info.step()), base::FormatBytes(info.bytes()),
                    FormatTimeNs(info.created_ns()), info.counts() ? "yes" : "no", info.problem()});
  }
  return FormatTable(rows);
}

// "JOB" or "JOB@STEP".
absl::StatusOr<int64_t> SplitStep(std::string* job) {
  const size_t at = job->find('@');
  if (at == std::string::npos || job->substr(at) == "@latest") {
    *job = job->substr(0, at);
    return 0;
  }
  int64_t step = 0;
  if (!absl::SimpleAtoi(job->substr(at + 1), &step) || step <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", job->substr(at), "' is not @latest or @STEP"));
  }
  *job = job->substr(0, at);
  return step;
}

// Every problem is named with file and offset; one of them is enough for exit code 1.
int PrintVerification(const pb::VerifyReply& reply, const std::string& format) {
  if (IsStructured(format)) {
    std::cout << FormatMessage(reply, format);
  } else if (reply.ok()) {
    std::cout << "checkpoint " << reply.checkpoint().path() << ": " << reply.files() << " files, "
              << base::FormatBytes(reply.bytes()) << ", every checksum is right\n"
              << "weights sha256 " << reply.weights_sha256() << "\n";
  }
  for (const std::string& problem : reply.problems()) {
    std::cerr << "CheckpointDamaged: " << problem << "\n";
  }
  return reply.ok() ? kDone : kFailed;
}

}  // namespace

int RunCheckpointList(const Command& command, const Words& words) {
  CommandLine line(command);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto reply = (*client)->ListCheckpoints(line.positional(0));
  if (!reply.ok()) return ComplainOfJob(reply.status());
  const std::string& format = line.common().output;
  if (format == "name") {
    for (const pb::CheckpointInfo& info : reply->checkpoints()) std::cout << info.name() << "\n";
  } else if (IsStructured(format)) {
    std::vector<const google::protobuf::Message*> messages;
    for (const pb::CheckpointInfo& info : reply->checkpoints()) messages.push_back(&info);
    std::cout << FormatList(messages, format);
  } else {
    std::cout << CheckpointTable(*reply);
  }
  return kDone;
}

int RunCheckpointVerify(const Command& command, const Words& words) {
  CommandLine line(command);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  std::string job = line.positional(0);
  const auto step = SplitStep(&job);
  if (!step.ok()) return Complain(step.status());
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto reply = (*client)->Verify(job, *step);
  if (!reply.ok()) return ComplainOfJob(reply.status());
  return PrintVerification(*reply, line.common().output);
}

}  // namespace rm::trainctl
