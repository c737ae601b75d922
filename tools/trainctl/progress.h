// The progress line of a job that is followed.
#ifndef RM_TOOLS_TRAINCTL_PROGRESS_H_
#define RM_TOOLS_TRAINCTL_PROGRESS_H_

#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"

namespace rm::trainctl {

// "epoch 1.25  step 78/187  [========>           ]  42 %  loss 0.2345  1234 samples/s  ETA 12 s",
// of at most `width` columns: the bar shrinks first, then goes, then the end is cut. A job that has
// not made a step, or does not run: its state with its reason. Pure.
[[nodiscard]] std::string ProgressText(const ringmaster::v1::Job& job, int width);

// Shows the progress on standard error: one line that is drawn over on a terminal, a line every few seconds elsewhere.
class ProgressDisplay {
 public:
  // `fd` is standard error; `interval` the least time between two lines off a terminal.
  explicit ProgressDisplay(int fd, absl::Duration interval = absl::Seconds(3));

  void Show(const ringmaster::v1::Job& job);
  // A line of its own, above the progress line.
  void Note(const std::string& line);
  // Ends the progress line.
  void Finish();

 private:
  [[nodiscard]] int Width() const;
  void Write(const std::string& text) const;

  const int fd_;
  const bool terminal_;
  const absl::Duration interval_;
  absl::Time last_shown_ = absl::InfinitePast();
  std::string last_text_;
  bool line_open_ = false;
};

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_PROGRESS_H_
