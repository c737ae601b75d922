#include "tools/trainctl/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/units.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

constexpr int kBarMax = 30;
constexpr int kBarMin = 8;

// At the present rate; without a rate there is nothing to say.
std::string EtaText(const pb::Job& job) {
  const pb::JobProgress& progress = job.progress();
  const auto batch = static_cast<double>(job.spec().train().global_batch_size());
  const double rate = progress.samples_per_second();
  if (!(rate > 0) || !std::isfinite(rate) || batch <= 0) return "";
  const auto left =
      static_cast<double>(std::max<int64_t>(0, progress.total_steps() - progress.step()));
  return absl::StrCat("  ETA ", base::FormatDuration(absl::Seconds(left * batch / rate)));
}

// "[=====>    ]": the arrow is where it is, not what is done.
std::string Bar(double share, int width) {
  const int filled = std::clamp(static_cast<int>(share * width), 0, width);
  std::string bar(static_cast<size_t>(width), ' ');
  std::fill(bar.begin(), bar.begin() + filled, '=');
  if (filled < width) bar[static_cast<size_t>(filled)] = '>';
  return absl::StrCat("[", bar, "]  ");
}

}  // namespace

// Head and tail come first, the bar takes what room is left.
std::string ProgressText(const pb::Job& job, int width) {
  const pb::JobProgress& progress = job.progress();
  if (progress.step() == 0 || job.state() != pb::RUNNING) {
    return CutToWidth(absl::StrCat(StateName(job.state()), ": ", job.reason().sentence()), width);
  }
  const double share = progress.total_steps() > 0
                           ? static_cast<double>(progress.step()) /
                                 static_cast<double>(progress.total_steps())
                           : 0.0;
  const std::string head = absl::StrFormat("epoch %.2f  step %d/%d  ", progress.epoch(),
                                           progress.step(), progress.total_steps());
  const std::string tail =
      absl::StrFormat("%3.0f %%  loss %.4f  %.0f samples/s%s", 100 * share, progress.loss(),
                      progress.samples_per_second(), EtaText(job));
  const int room = width - static_cast<int>(head.size() + tail.size()) - 4;
  const std::string bar = room >= kBarMin ? Bar(share, std::min(room, kBarMax)) : "";
  return CutToWidth(absl::StrCat(head, bar, tail), width);
}

ProgressDisplay::ProgressDisplay(int fd, absl::Duration interval)
    : fd_(fd), terminal_(::isatty(fd) == 1), interval_(interval) {}

// Asked each time: windows are resized.
int ProgressDisplay::Width() const {
  winsize size{};
  const bool known = terminal_ && ::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 120;
}

void ProgressDisplay::Write(const std::string& text) const {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(fd_, text.data() + done, text.size() - done);
    if (wrote <= 0) return;  // nobody reads: nothing to show
    done += static_cast<size_t>(wrote);
  }
}

// The same text is not drawn twice.
void ProgressDisplay::Show(const pb::Job& job) {
  const std::string text = ProgressText(job, Width());
  if (text == last_text_) return;
  if (terminal_) {
    Write(absl::StrCat("\r\x1b[K", text));
    line_open_ = true;
  } else {
    const absl::Time now = absl::Now();
    const bool waits = job.progress().step() == 0;
    if (!waits && now - last_shown_ < interval_) return;
    last_shown_ = now;
    Write(absl::StrCat(text, "\n"));
  }
  last_text_ = text;
}

// The progress line is ended first and drawn anew with the next Show; unless it would say the same
// once more, as with a change of state before the first step.
void ProgressDisplay::Note(const std::string& line) {
  Finish();
  Write(absl::StrCat(line, "\n"));
  last_text_ = line;
}

void ProgressDisplay::Finish() {
  if (line_open_) Write("\n");
  line_open_ = false;
  last_text_.clear();
}

}  // namespace rm::trainctl
