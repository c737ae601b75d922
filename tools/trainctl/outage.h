// What a command that follows something does while the coordinator is away: it says so once, asks
// again for a bounded time, and says once that the coordinator is back.
//
//   Outage outage(patience, [](const std::string& line) { std::cerr << line << "\n"; });
//   for (;;) {
//     const absl::Status ended = ReadStream(… outage.NoteBack() at each message …);
//     if (session.interrupted()) return Detach();
//     RM_RETURN_IF_ERROR(outage.Wait(ended));    // what asking again does not mend
//   }
//
// Jobs run without a coordinator, so it is worth waiting for; but a script must end some day.
#ifndef RM_TOOLS_TRAINCTL_OUTAGE_H_
#define RM_TOOLS_TRAINCTL_OUTAGE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/flags.h"

namespace rm::trainctl {

// How long a coordinator that went away is waited for unless --patience says otherwise: longer than
// a restart, an upgrade, or a machine's boot.
inline constexpr char kDefaultPatience[] = "10m";

// Not thread-safe.
class Outage {
 public:
  // `say` prints a line for people. `patience`: of one outage; the next one has it anew.
  Outage(absl::Duration patience, std::function<void(const std::string&)> say);

  // A stream has ended with `ended` before it was to. OK, after a pause: ask again. Otherwise the
  // error to end with: `ended` itself when the connection is not to blame or there is no patience at
  // all, else Unavailable when it is at its end.
  [[nodiscard]] absl::Status Wait(const absl::Status& ended);

  // The coordinator has answered.
  void NoteBack();

 private:
  const absl::Duration patience_;
  const std::function<void(const std::string&)> say_;
  absl::Time since_ = absl::InfiniteFuture();  // of the present outage
};

// Adds --patience to a command that follows something.
void AddPatienceFlag(base::FlagSet& flags, std::string* text);
// What it says; InvalidArgument naming the flag when that is no length of time.
[[nodiscard]] absl::StatusOr<absl::Duration> ParsePatience(const std::string& text);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_OUTAGE_H_
