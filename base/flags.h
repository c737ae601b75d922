// Command-line flags of one program or subcommand, parsed into variables the caller owns.
//
//   base::FlagSet flags;
//   flags.Add("listen", &listen, "HOST:PORT to serve at");
//   flags.Add("workers", &workers, "workers to start");
//   RM_ASSIGN_OR_RETURN(std::vector<std::string> rest, flags.Parse(arguments));
//
// Accepted: --name value, --name=value, -n value (short names), --switch, --switch=false; "--" ends the flags. What is
// not a flag is returned in order. Unknown flags, missing and unreadable values are InvalidArgument with a suggestion.
// (Abseil's flags are one registry a process; a multi-call binary has a set a subcommand.)
#ifndef RM_BASE_FLAGS_H_
#define RM_BASE_FLAGS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rm::base {

// Thread-compatible. The targets outlive the set; they hold the defaults before Parse.
class FlagSet {
 public:
  // A repeated flag (std::vector<std::string>) appends; every other one keeps the last value given.
  using Target = std::variant<std::string*, int64_t*, double*, bool*, absl::Duration*,
                              std::vector<std::string>*>;

  // `short_name` 0: none.
  void Add(absl::string_view name, Target target, absl::string_view help, char short_name = 0);

  // Positional arguments in order. On an error some targets may already be set.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> Parse(
      absl::Span<const std::string> arguments) const;

  // One line a flag: "  --listen HOST:PORT  …", for --help.
  [[nodiscard]] std::string Help() const;

 private:
  struct Flag {
    std::string name;
    Target target;
    std::string help;
    char short_name;
  };
  [[nodiscard]] const Flag* Find(absl::string_view argument_name) const;
  [[nodiscard]] absl::Status Unknown(absl::string_view argument) const;

  std::vector<Flag> flags_;
};

// The candidate nearest to `word` by edit distance, or "" when none is near enough to suggest.
[[nodiscard]] std::string NearestName(absl::string_view word,
                                      absl::Span<const std::string> candidates);

// argv[1…] as strings.
[[nodiscard]] std::vector<std::string> ArgumentVector(int argc, char** argv);

}  // namespace rm::base

#endif  // RM_BASE_FLAGS_H_
