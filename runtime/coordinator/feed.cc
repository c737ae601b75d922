// The list holds calls by shared pointer because two sides let go of them: the list when a feed is
// over, the client's stream when its last callback has come.
#include "runtime/coordinator/feed.h"

namespace rm::coordinator {

void FeedList::Add(std::shared_ptr<PolledCall> call) {
  if (!closed_.ok()) {
    call->Close(closed_);
    return;
  }
  calls_.push_back(std::move(call));
}

void FeedList::PollAll(absl::Duration now) {
  calls_.remove_if([now](const std::shared_ptr<PolledCall>& call) { return !call->Poll(now); });
}

void FeedList::CloseAll(const absl::Status& status) {
  // Swapped out first: closing a call may run code that adds to or walks this list.
  closed_ = status;
  std::list<std::shared_ptr<PolledCall>> calls;
  calls.swap(calls_);
  for (const std::shared_ptr<PolledCall>& call : calls) call->Close(status);
}

}  // namespace rm::coordinator
