// trainctl checkpoint: what is there, and whether every byte of it is what was written.

#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "tools/trainctl/checkpoint_choice.h"
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
  const auto choice = ParseCheckpointChoice(line.positional(0));
  if (!choice.ok()) return Complain(choice.status());
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto step = FindStep(**client, *choice);
  if (!step.ok()) return ComplainOfJob(step.status());
  const auto reply = (*client)->Verify(choice->job, *step);
  if (!reply.ok()) return ComplainOfJob(reply.status());
  return PrintVerification(*reply, line.common().output);
}

}  // namespace rm::trainctl
