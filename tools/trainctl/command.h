// A subcommand of trainctl: one file (or a small family in one) and one line in the table of
// command.cc, from which the help is made too.
#ifndef RM_TOOLS_TRAINCTL_COMMAND_H_
#define RM_TOOLS_TRAINCTL_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/flags.h"
#include "tools/trainctl/session.h"

namespace rm::trainctl {

// Words after the subcommand's name; words[0] is the name itself, as in argv.
using Words = std::vector<std::string>;

struct Command {
  const char* name;      // "submit", "node ls"
  const char* alias;     // another name, or ""
  const char* usage;     // what follows the name
  const char* summary;   // one sentence
  const char* examples;  // lines, or ""
  int (*run)(const Command& command, const Words& words);
};

// Every subcommand, in the order of the help.
[[nodiscard]] absl::Span<const Command> Commands();

// The flags of a subcommand and how parsing them ended.
class CommandLine {
 public:
  // `output_is_a_file`: --output is the subcommand's own (AddCommonFlags).
  explicit CommandLine(const Command& command, bool output_is_a_file = false);

  [[nodiscard]] base::FlagSet& flags() { return flags_; }
  [[nodiscard]] const CommonFlags& common() const { return common_; }

  // Parses; `least` and `most` bound the number of positionals. True: go on. False: leave with
  // exit_code() – help was asked for and printed, or an error was printed.
  [[nodiscard]] bool Parse(const Words& words, size_t least, size_t most);
  [[nodiscard]] int exit_code() const { return exit_code_; }
  [[nodiscard]] const std::string& positional(size_t i) const { return flags_.positionals()[i]; }
  [[nodiscard]] size_t positional_count() const { return flags_.positionals().size(); }

 private:
  const Command& command_;
  CommonFlags common_;
  base::FlagSet flags_;
  int exit_code_ = 0;
};

// The subcommands, by file.
int RunSubmit(const Command& command, const Words& words);           // submit.cc
int RunList(const Command& command, const Words& words);             // list.cc
int RunDescribe(const Command& command, const Words& words);         // inspect.cc
int RunWhy(const Command& command, const Words& words);              // inspect.cc
int RunEvents(const Command& command, const Words& words);           // events.cc
int RunLogs(const Command& command, const Words& words);             // logs.cc
int RunCancel(const Command& command, const Words& words);           // control.cc
int RunKill(const Command& command, const Words& words);             // control.cc
int RunPause(const Command& command, const Words& words);            // control.cc
int RunResume(const Command& command, const Words& words);           // control.cc
int RunWait(const Command& command, const Words& words);             // control.cc
int RunCheckpointList(const Command& command, const Words& words);   // checkpoint.cc
int RunCheckpointVerify(const Command& command, const Words& words); // checkpoint.cc
int RunModelExport(const Command& command, const Words& words);      // model.cc
int RunNodeList(const Command& command, const Words& words);         // node.cc
int RunClusterUp(const Command& command, const Words& words);        // cluster.cc
int RunClusterDown(const Command& command, const Words& words);      // cluster.cc
int RunClusterStatus(const Command& command, const Words& words);    // cluster.cc
int RunGraph(const Command& command, const Words& words);            // graph.cc
int RunBench(const Command& command, const Words& words);            // main.cc
int RunSchema(const Command& command, const Words& words);           // main.cc
int RunVersion(const Command& command, const Words& words);          // main.cc

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_COMMAND_H_
