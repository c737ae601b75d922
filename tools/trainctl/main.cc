#include "tools/trainctl/main.h"

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/nearest_name.h"
#include "base/version.h"
#include "tools/bench/main.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"

namespace rm::trainctl {
namespace {

// Flags with a value that may stand before the subcommand.
bool TakesValue(const std::string& word) {
  return word == "-c" || word == "--coordinator" || word == "-o" || word == "--output";
}

// The subcommand's name is the first word that is no flag; what stands before it belongs to the subcommand as well.
Words NameFirst(const Words& words) {
  size_t name = 0;
  while (name < words.size() && words[name].size() > 1 && words[name][0] == '-') {
    name += TakesValue(words[name]) ? 2U : 1U;
  }
  if (name >= words.size()) return words;
  const auto at = words.begin() + static_cast<std::ptrdiff_t>(name);
  Words ordered = {*at};
  auto rest = at + 1;
  if (rest != words.end()) ordered.push_back(*rest++);  // a second word of the name, or its first argument
  ordered.insert(ordered.end(), words.begin(), at);
  ordered.insert(ordered.end(), rest, words.end());
  return ordered;
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

int UnknownCommand(const Words& words) {
  std::vector<std::string> names;
  std::string family;
  for (const Command& command : Commands()) {
    names.emplace_back(command.name);
    if (std::string(command.name).rfind(words[0] + " ", 0) == 0) {
      absl::StrAppend(&family, family.empty() ? "" : ", ", command.name);
    }
  }
  if (!family.empty()) return Complain(absl::InvalidArgumentError(absl::StrCat("which one: ", family, "?")));
  return Complain(absl::InvalidArgumentError(absl::StrCat("unknown command '", words[0], "'",
                                                          base::Suggestion(words[0], names),
                                                          " (try trainctl --help)")));
}

int Dispatch(const Words& words) {
  for (const Command& command : Commands()) {
    if (words[0] == command.name || (*command.alias != 0 && words[0] == command.alias)) {
      return command.run(command, words);
    }
    if (words.size() > 1 && absl::StrCat(words[0], " ", words[1]) == command.name) {
      return command.run(command, Words(words.begin() + 1, words.end()));
    }
  }
  return UnknownCommand(words);
}

}  // namespace

int RunBench(const Command&, const Words& words) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  return bench::BenchMain(static_cast<int>(argv.size()), argv.data());
}

int RunVersion(const Command&, const Words&) {
  std::cout << "trainctl " << base::kVersion << "\n";
  return kDone;
}

int TrainctlMain(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.empty()) {
    std::cerr << HelpText();
    return kUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::cout << HelpText();
    return kDone;
  }
  if (words[0] == "--version") return RunVersion(Commands()[0], words);
  return Dispatch(NameFirst(words));
}

}  // namespace rm::trainctl
