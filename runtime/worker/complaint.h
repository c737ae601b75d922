// A trouble that lasts is said when it begins, when it changes, and now and then while it goes on:
// neither once for ever, nor with every attempt.
#ifndef RM_RUNTIME_WORKER_COMPLAINT_H_
#define RM_RUNTIME_WORKER_COMPLAINT_H_

#include <optional>
#include <string>

#include "absl/time/time.h"

namespace rm::worker {

// Thread-compatible. Times are of a monotonic clock.
class Complaint {
 public:
  explicit Complaint(absl::Duration interval) : interval_(interval) {}

  // The trouble is still there, and this is how it shows. When it is time to say so: since how long
  // it has been there (zero at its beginning); else nothing.
  [[nodiscard]] std::optional<absl::Duration> Due(const std::string& what, absl::Duration now) {
    if (!since_.has_value()) since_ = now;
    if (what == what_ && now - said_ < interval_) return std::nullopt;
    what_ = what;
    said_ = now;
    return now - *since_;
  }

  // The trouble is over; the next one is a new one.
  void Over() {
    since_.reset();
    what_.clear();
  }

 private:
  const absl::Duration interval_;
  std::optional<absl::Duration> since_;
  absl::Duration said_ = -absl::InfiniteDuration();
  std::string what_;  // as last said
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_COMPLAINT_H_
