#include "tools/trainctl/main.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest_name.h"
#include "base/version.h"
#include "runtime/jobspec/reference.h"
#include "tools/bench/main.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"

namespace rm::trainctl {
namespace {

// Flags with a value that may stand before the subcommand.
// Only the common flags may stand before the name.
bool TakesValue(const std::string& word) {
  return word == "-c" || word == "--coordinator" || word == "-o" || word == "--output";
}

// Where the subcommand's name stands: at the first word that is no flag.
size_t FindName(const Words& words) {
  size_t name = 0;
  while (name < words.size() && words[name].size() > 1 && words[name][0] == '-') {
    name += TakesValue(words[name]) ? 2U : 1U;
  }
  return std::min(name, words.size());
}

std::string HelpText() {
  std::string text =
      "trainctl submits, watches and ends training jobs of a Ringmaster cluster.\n\n"
      "usage: trainctl COMMAND [flags]\n\ncommands:\n";
  for (const Command& command : Commands()) {
    const std::string name = *command.alias == 0 ? command.name
                                                 : absl::StrCat(command.name, ", ", command.alias);
    absl::StrAppend(&text, "  ", name, std::string(20 - std::min<size_t>(18, name.size()), ' '),
                    command.summary, "\n");
  }
  absl::StrAppend(&text,
                  "\nEvery command takes --help, -c HOST:PORT (the coordinator), -o "
                  "table|wide|json|yaml|name.\nExit codes: 0 done, 1 failed, 2 usage or job file, 69 no "
                  "coordinator, 100 job failed, 101 wait ran out,\n102 not found, 103 job cancelled, "
                  "104 impossible resources, 130 interrupted.\n");
  return text;
}

// "checkpoint" alone is half a name: its family is listed. Anything else gets the nearest name.
int UnknownCommand(const std::string& word) {
  std::vector<std::string> names;
  std::vector<std::string> family;
  for (const Command& command : Commands()) {
    names.emplace_back(command.name);
    if (absl::StartsWith(command.name, word + " ")) family.emplace_back(command.name);
  }
  if (!family.empty()) {
    return Complain(
        absl::InvalidArgumentError(absl::StrCat("which one: ", absl::StrJoin(family, ", "), "?")));
  }
  return Complain(absl::InvalidArgumentError(absl::StrCat(
      "unknown command '", word, "'", base::Suggestion(word, names), " (try trainctl --help)")));
}

// The command that `name` and perhaps `next` name, and how many words that took.
std::pair<const Command*, size_t> FindCommand(const std::string& name, const std::string& next) {
  for (const Command& command : Commands()) {
    const bool alias = *command.alias != 0 && name == command.alias;
    if (name == command.name || alias) return {&command, 1};
    if (absl::StrCat(name, " ", next) == command.name) return {&command, 2};
  }
  return {nullptr, 0};
}

// Flags that stand before the subcommand's name belong to it as well.
// Names of one word and of two, by the table.
int Dispatch(const Words& words) {
  const size_t at = FindName(words);
  if (at == words.size()) {
    return Complain(absl::InvalidArgumentError("no command is named (try trainctl --help)"));
  }
  const auto [command, length] =
      FindCommand(words[at], at + 1 < words.size() ? words[at + 1] : "");
  if (command == nullptr) return UnknownCommand(words[at]);
  Words own = {command->name};
  const auto name = words.begin() + static_cast<std::ptrdiff_t>(at);
  own.insert(own.end(), words.begin(), name);
  own.insert(own.end(), name + static_cast<std::ptrdiff_t>(length), words.end());
  return command->run(*command, own);
}

int Help(const Words& words) {
  if (words.size() <= 1) {
    std::cout << HelpText();
    return kDone;
  }
  Words asked(words.begin() + 1, words.end());
  asked.emplace_back("--help");
  return Dispatch(asked);
}

// Whether standard output is a pipe that nobody reads any more.
bool NobodyReads() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

// What was printed must have arrived: a full disk is no success. A reader that had enough
// ("trainctl list | head -1") is none of our business.
int CheckOutput(int code) {
  if (std::cout.flush().good() || code != kDone || NobodyReads()) return code;
  std::cerr << "trainctl: cannot write to standard output\n";
  return kFailed;
}

}  // namespace

int RunBench(const Command&, const Words& words) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  return bench::BenchMain(static_cast<int>(argv.size()), argv.data());
}

int RunSchema(const Command& command, const Words& words) {
  bool markdown = false;
  CommandLine line(command);
  line.flags().Switch("markdown", "the page for people instead of the schema", &markdown);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  std::cout << (markdown ? jobspec::ReferencePage() : jobspec::JsonSchema());
  return kDone;
}

int RunVersion(const Command& command, const Words& words) {
  CommandLine line(command);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  std::cout << "trainctl " << base::kVersion << "\n";
  return kDone;
}

int TrainctlMain(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that leaves is an error of a write, not our end
  Words words(argv + 1, argv + argc);
  if (words.empty()) {
    std::cerr << HelpText();
    return kUsage;
  }
  if (words[0] == "--version") words[0] = "version";
  if (words[0] == "--help" || words[0] == "-h") words = {"help"};
  return CheckOutput(words[0] == "help" ? Help(words) : Dispatch(words));
}

}  // namespace rm::trainctl
