// trainctl node: the machines.

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// Slots as used/all.
std::string NodeTable(const pb::NodesReply& reply, bool wide) {
  const int64_t now = absl::GetCurrentTimeNanos();
  std::vector<std::vector<std::string>> rows = {{"WORKER", "HOST", "STATE", "SLOTS", "SINCE", "VERSION"}};
  if (wide) rows[0].insert(rows[0].end(), {"LABELS", "REASON"});
  for (const pb::Node& node : reply.nodes()) {
    rows.push_back({node.worker_id(), node.host(), StateName(node.state()),
                    absl::StrCat(node.slots_used(), "/", node.slots()),
                    FormatAge(node.since_ns(), now), node.version()});
    if (!wide) continue;
    const std::map<std::string, std::string> labels(node.labels().begin(), node.labels().end());
    rows.back().push_back(absl::StrJoin(labels, ",", absl::PairFormatter("=")));
    rows.back().push_back(node.reason().sentence());
  }
  return FormatTable(rows);
}

}  // namespace

int RunNodeList(const Command& command, const Words& words) {
  CommandLine line(command);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto reply = (*client)->Nodes();
  if (!reply.ok()) return Complain(reply.status());
  const std::string& format = line.common().output;
  if (format == "name") {
    for (const pb::Node& node : reply->nodes()) std::cout << node.worker_id() << "\n";
  } else if (IsStructured(format)) {
    std::vector<const google::protobuf::Message*> messages;
    for (const pb::Node& node : reply->nodes()) messages.push_back(&node);
    std::cout << FormatList(messages, format);
  } else {
    std::cout << NodeTable(*reply, format == "wide");
  }
  return kDone;
}

}  // namespace rm::trainctl
