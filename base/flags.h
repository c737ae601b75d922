// Command-line flags of one program: `--name value`, `--name=value`, and `--switch`.
//
//   FlagSet flags("ringmaster-coordinator", "Schedules jobs on workers.");
//   flags.Text("listen", "HOST:PORT", "address of the gRPC services", &options.listen);
//   flags.Switch("insecure", "allow addresses beyond loopback without TLS", &options.insecure);
//   absl::Status parsed = flags.Parse(argc, argv);   // InvalidArgument: "unknown flag '--lisen' …"
//   if (flags.help_asked()) std::cout << flags.Help();
//
// The value a variable has when its flag is added is its default and is shown in the help. Lengths
// of time and sizes are texts that their user parses (base/units.h). Not thread-safe.
#ifndef RM_BASE_FLAGS_H_
#define RM_BASE_FLAGS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rm::base {

// Borrows the variables of its flags, which outlive it.
class FlagSet {
 public:
  // `program` is the name that help and errors show, `summary` one sentence on what it does.
  FlagSet(absl::string_view program, absl::string_view summary);

  // `metavar` names the value in the help ("HOST:PORT"). REQUIRES: no flag of that name yet.
  void Text(absl::string_view name, absl::string_view metavar, absl::string_view help,
            std::string* value);
  // A text that must be one of `choices`.
  void Choice(absl::string_view name, std::vector<std::string> choices, absl::string_view help,
              std::string* value);
  // A whole number within [least, most].
  void Integer(absl::string_view name, absl::string_view metavar, absl::string_view help,
               int64_t least, int64_t most, int64_t* value);
  // A number within [least, most].
  void Number(absl::string_view name, absl::string_view metavar, absl::string_view help,
              double least, double most, double* value);
  // A text that may be given several times; each one is appended.
  void Texts(absl::string_view name, absl::string_view metavar, absl::string_view help,
             std::vector<std::string>* values);
  // Off unless given; `--name=false` is understood too.
  void Switch(absl::string_view name, absl::string_view help, bool* value);

  // Lets `-letter` stand for `--name`. REQUIRES: the flag was added.
  void Letter(char letter, absl::string_view name);

  // What follows the program's name in the help's usage line ("job.yaml [flags]").
  void SetUsage(absl::string_view usage) { usage_ = std::string(usage); }

  // Sets the variables from argv[1] on; the last of several wins. Words that are no flags, and all
  // words after `--`, become positionals(). Errors are InvalidArgument: one line that names the
  // flag, what is wrong and what is allowed; variables of the flags before it are then set already.
  // --help and -h are known to every program: they end parsing with OK.
  [[nodiscard]] absl::Status Parse(int argc, const char* const* argv);

  [[nodiscard]] bool help_asked() const { return help_asked_; }
  [[nodiscard]] const std::vector<std::string>& positionals() const { return positionals_; }

  // For a program that takes no positionals: InvalidArgument when there are some.
  [[nodiscard]] absl::Status NoPositionals() const;

  // Summary, usage and one line for each flag with its default.
  [[nodiscard]] std::string Help() const;

 private:
  struct TextValue {
    std::string* value;
  };
  struct ChoiceValue {
    std::vector<std::string> choices;
    std::string* value;
  };
  struct IntegerValue {
    int64_t least;
    int64_t most;
    int64_t* value;
  };
  struct NumberValue {
    double least;
    double most;
    double* value;
  };
  struct TextsValue {
    std::vector<std::string>* values;
  };
  struct SwitchValue {
    bool* value;
  };
  using Value =
      std::variant<TextValue, ChoiceValue, IntegerValue, NumberValue, TextsValue, SwitchValue>;
  struct Flag {
    std::string name;
    std::string metavar;  // empty for a switch
    std::string help;
    std::string default_text;
    Value value;
    char letter = 0;
  };

  void Add(Flag flag);
  [[nodiscard]] const Flag* Find(absl::string_view name) const;
  // The flag that `word` ("--name" or "-l", without a value) means, or InvalidArgument with a
  // suggestion.
  [[nodiscard]] absl::StatusOr<const Flag*> Lookup(absl::string_view word) const;
  // Takes argv[*index], and its value from argv[++*index] where it is not in the same word.
  [[nodiscard]] absl::Status ParseFlag(int argc, const char* const* argv, int* index);
  [[nodiscard]] absl::Status Refuse(absl::string_view what) const;
  [[nodiscard]] absl::Status RefuseUnknown(absl::string_view word) const;

  const std::string program_;
  const std::string summary_;
  std::string usage_ = "[flags]";
  std::vector<Flag> flags_;  // in the order of the help
  std::vector<std::string> positionals_;
  bool help_asked_ = false;
};

}  // namespace rm::base

#endif  // RM_BASE_FLAGS_H_
