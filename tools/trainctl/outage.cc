#include "tools/trainctl/outage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/units.h"

namespace rm::trainctl {
namespace {

// Short enough that nobody notices, long enough not to be a burden on a coordinator that starts.
constexpr absl::Duration kPause = absl::Milliseconds(500);

// Without the client's advice on how to get a coordinator: there is one, it is only away.
absl::string_view WhatHappened(const absl::Status& ended) {
  if (ended.ok()) return "the coordinator ended the stream";
  return ended.message().substr(0, ended.message().find(": 'trainctl cluster up'"));
}

}  // namespace

Outage::Outage(absl::Duration patience, std::function<void(const std::string&)> say)
    : patience_(patience), say_(std::move(say)) {}

// A stream that a coordinator ends in good order before the job has ended is an outage, too: it is
// shutting down.
absl::Status Outage::Wait(const absl::Status& ended) {
  if (!ended.ok() && !absl::IsUnavailable(ended)) return ended;
  // Scripts that would rather know at once than wait say 0s: no word about waiting then.
  if (patience_ == absl::ZeroDuration()) {
    return ended.ok() ? absl::UnavailableError("the coordinator ended the stream") : ended;
  }
  const absl::Time now = absl::Now();
  if (since_ == absl::InfiniteFuture()) {
    since_ = now;
    say_(absl::StrCat(WhatHappened(ended), "; jobs go on without it; waiting for it up to ",
                      base::FormatDuration(patience_)));
  }
  // Judged before the pause, so that the last attempt is made at the end of the patience and not after.
  if (now - since_ >= patience_) {
    return absl::UnavailableError(
        absl::StrCat("the coordinator has been away for ", base::FormatDuration(patience_),
                     "; the same command goes on when it is back"));
  }
  absl::SleepFor(std::min(kPause, since_ + patience_ - now));
  return absl::OkStatus();
}

// Also called for every message of a stream that stands: then there is nothing to say.
void Outage::NoteBack() {
  if (since_ == absl::InfiniteFuture()) return;
  since_ = absl::InfiniteFuture();
  say_("the coordinator is back");
}

// The same words in the help of every command that follows.
void AddPatienceFlag(base::FlagSet& flags, std::string* text) {
  *text = kDefaultPatience;
  flags.Text("patience", "TIME", "how long a coordinator that goes away is waited for", text);
}

absl::StatusOr<absl::Duration> ParsePatience(const std::string& text) {
  const auto patience = base::ParseDuration(text);
  if (patience.ok()) return *patience;
  return absl::InvalidArgumentError(absl::StrCat("--patience: ", patience.status().message()));
}

}  // namespace rm::trainctl
