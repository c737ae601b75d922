#include "tools/trainctl/progress.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <limits>
#include <string>

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;

pb::Job Running(int64_t step, int64_t total) {
  pb::Job job;
  job.set_state(pb::RUNNING);
  job.mutable_reason()->set_sentence("all ranks are up");
  job.mutable_spec()->mutable_train()->set_global_batch_size(100);
  pb::JobProgress& progress = *job.mutable_progress();
  progress.set_step(step);
  progress.set_total_steps(total);
  progress.set_epoch(1.25);
  progress.set_loss(0.23456);
  progress.set_samples_per_second(1000);
  return job;
}

size_t Columns(const std::string& text) {
  size_t columns = 0;
  for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1U : 0U;
  return columns;
}

TEST_CASE("a running job shows epoch, step, bar, loss, rate and the time left") {
  CHECK(ProgressText(Running(50, 200), 200) ==
        "epoch 1.25  step 50/200  [=======>                      ]   25 %  loss 0.2346  "
        "1000 samples/s  ETA 15 s");
  CHECK(ProgressText(Running(200, 200), 200) ==
        "epoch 1.25  step 200/200  [==============================]  100 %  loss 0.2346  "
        "1000 samples/s  ETA 0 s");
}

TEST_CASE("in a narrow window the bar shrinks, then goes, then the end is cut") {
  const pb::Job job = Running(50, 200);
  const std::string narrow = ProgressText(job, 90);
  CHECK(narrow.find("[===") != std::string::npos);
  CHECK(narrow.find("ETA 15 s") != std::string::npos);
  CHECK(ProgressText(job, 75) ==
        "epoch 1.25  step 50/200   25 %  loss 0.2346  1000 samples/s  ETA 15 s");
  CHECK(ProgressText(job, 20) == "epoch 1.25  step 50/");
  for (int width = 0; width < 130; ++width) {
    CAPTURE(width);
    CHECK(Columns(ProgressText(job, width)) <= static_cast<size_t>(width));
  }
}

TEST_CASE("before the first step, and when it does not run, a job shows its state and why") {
  pb::Job job = Running(0, 200);
  CHECK(ProgressText(job, 100) == "Running: all ranks are up");
  job = Running(50, 200);
  job.set_state(pb::RECOVERING);
  job.mutable_reason()->set_sentence("rank 1 was lost – killed");
  CHECK(ProgressText(job, 100) == "Recovering: rank 1 was lost – killed");
  CHECK(ProgressText(job, 30) == "Recovering: rank 1 was lost – ");
}

TEST_CASE("numbers that make no sense make no nonsense") {
  pb::Job job = Running(50, 0);
  CHECK(ProgressText(job, 200).find("  0 %") != std::string::npos);
  job = Running(300, 200);
  CHECK(ProgressText(job, 200).find("ETA 0 s") != std::string::npos);
  for (const double rate : {0.0, -1.0, std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()}) {
    job = Running(50, 200);
    job.mutable_progress()->set_samples_per_second(rate);
    CAPTURE(rate);
    CHECK(ProgressText(job, 200).find("ETA") == std::string::npos);
  }
}

// The two ends of something written to, and all that was written.
class Channel {
 public:
  Channel(int read_end, int write_end) : read_(read_end), write_(write_end) {
    ::fcntl(read_, F_SETFL, O_NONBLOCK);
  }
  ~Channel() {
    ::close(read_);
    ::close(write_);
  }
  int write_end() const { return write_; }
  std::string Take() {
    std::string text;
    std::array<char, 4096> buffer;
    for (ssize_t got; (got = ::read(read_, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<size_t>(got));
    }
    return text;
  }

 private:
  const int read_;
  const int write_;
};

Channel Pipe() {
  std::array<int, 2> fds{};
  REQUIRE(::pipe(fds.data()) == 0);
  return {fds[0], fds[1]};
}

// A terminal of `columns` columns.
Channel Terminal(unsigned short columns) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(::grantpt(master) == 0);
  REQUIRE(::unlockpt(master) == 0);
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  REQUIRE(slave >= 0);
  termios raw{};
  REQUIRE(::tcgetattr(slave, &raw) == 0);
  ::cfmakeraw(&raw);
  REQUIRE(::tcsetattr(slave, TCSANOW, &raw) == 0);
  const winsize size = {24, columns, 0, 0};
  REQUIRE(::ioctl(slave, TIOCSWINSZ, &size) == 0);
  return {master, slave};
}

TEST_CASE("off a terminal there is a line now and then, and each new state is one") {
  Channel pipe = Pipe();
  ProgressDisplay display(pipe.write_end(), absl::Hours(1));
  pb::Job waiting;
  waiting.set_state(pb::QUEUED);
  waiting.mutable_reason()->set_sentence("no slots");
  display.Show(waiting);
  display.Show(waiting);
  waiting.mutable_reason()->set_sentence("one slot");
  display.Show(waiting);
  CHECK(pipe.Take() == "Queued: no slots\nQueued: one slot\n");
  display.Show(Running(1, 200));  // within the hour
  CHECK(pipe.Take().empty());
  display.Note("a word");
  display.Finish();
  CHECK(pipe.Take() == "a word\n");
}

TEST_CASE("off a terminal lines come no faster than their interval, which may be nothing") {
  Channel pipe = Pipe();
  ProgressDisplay display(pipe.write_end(), absl::ZeroDuration());
  display.Show(Running(1, 200));
  display.Show(Running(1, 200));  // nothing new
  display.Show(Running(2, 200));
  const std::string text = pipe.Take();
  CHECK(text.find("step 1/200") < text.find("step 2/200"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find('\r') == std::string::npos);
}

TEST_CASE("on a terminal one line is drawn over, of the terminal's width") {
  Channel terminal = Terminal(40);
  ProgressDisplay display(terminal.write_end());
  display.Show(Running(1, 200));
  display.Show(Running(2, 200));
  CHECK(terminal.Take() == "\r\x1b[K" + ProgressText(Running(1, 200), 40) + "\r\x1b[K" +
                               ProgressText(Running(2, 200), 40));
  display.Note("a word");
  CHECK(terminal.Take() == "\na word\n");
  display.Show(Running(2, 200));
  display.Finish();
  display.Finish();
  CHECK(terminal.Take() == "\r\x1b[K" + ProgressText(Running(2, 200), 40) + "\n");
}

TEST_CASE("nobody reading is no reason to fail") {
  std::array<int, 2> fds{};
  REQUIRE(::pipe(fds.data()) == 0);
  ::close(fds[0]);
  ::signal(SIGPIPE, SIG_IGN);
  ProgressDisplay display(fds[1], absl::ZeroDuration());
  display.Show(Running(1, 200));
  display.Note("a word");
  display.Finish();
  ::close(fds[1]);
}

}  // namespace
}  // namespace rm::trainctl
