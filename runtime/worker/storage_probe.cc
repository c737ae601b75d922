#include "runtime/worker/storage_probe.h"

#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/utf8.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

// A probe is a short line; whatever else lies there is not sent over the network.
constexpr size_t kContentBytesMax = 4096;

// Paths and the system's words need not be UTF-8, but a message must be.
pb::StorageProbe Problem(const std::string& text) {
  pb::StorageProbe probe;
  probe.set_problem(base::ValidUtf8(text));
  return probe;
}

// What was read, or in the system's words why nothing was.
pb::StorageProbe AnswerOf(const absl::StatusOr<std::string>& content) {
  if (!content.ok()) return Problem(std::string(content.status().message()));
  pb::StorageProbe probe;
  probe.set_content(base::ValidUtf8(content->substr(0, kContentBytesMax)));
  return probe;
}

}  // namespace

// Both threads of a question hold it: the one that reads and may never come back, and the one that
// waits for it and answers.
struct StorageProber::State {
  State(ReadFunction read_function, std::function<void(pb::StorageProbe)> answer_function,
        absl::Duration patience)
      : read(std::move(read_function)), answer(std::move(answer_function)), timeout(patience) {}

  const ReadFunction read;
  const std::function<void(pb::StorageProbe)> answer;
  const absl::Duration timeout;

  base::Mutex mutex;
  base::CondVar changed;
  bool reading ABSL_GUARDED_BY(mutex) = false;
  bool over ABSL_GUARDED_BY(mutex) = false;
  int waiting ABSL_GUARDED_BY(mutex) = 0;  // threads that will still answer
  std::string path ABSL_GUARDED_BY(mutex);  // that was read last, or is being read
  absl::StatusOr<std::string> content ABSL_GUARDED_BY(mutex);
};

StorageProber::StorageProber(ReadFunction read, std::function<void(pb::StorageProbe)> answer,
                             absl::Duration timeout)
    : state_(std::make_shared<State>(std::move(read), std::move(answer), timeout)) {}

// Waits for answers under way, not for reads.
StorageProber::~StorageProber() {
  base::MutexLock lock(state_->mutex);
  state_->over = true;
  state_->changed.SignalAll();
  while (state_->waiting > 0) state_->changed.Wait(state_->mutex);
}

// Two threads a question: one reads, and may hang for as long as the storage does; one waits for it
// and answers in time, whatever the other does. Both are detached: nobody could join the first.
void StorageProber::Ask(const std::string& path) {
  if (path.empty()) return;
  bool busy = false;
  {
    base::MutexLock lock(state_->mutex);
    if (state_->over) return;
    busy = std::exchange(state_->reading, true);
    if (!busy) state_->path = path;
    ++state_->waiting;
  }
  if (!busy) {
    std::thread([state = state_, path] {
      absl::StatusOr<std::string> content = state->read(path);
      base::MutexLock lock(state->mutex);
      state->content = std::move(content);
      state->reading = false;
      state->changed.SignalAll();
    }).detach();
  }
  std::thread([state = state_, path] {
    const absl::Duration deadline = base::RealClock().Monotonic() + state->timeout;
    pb::StorageProbe probe;
    bool over = false;
    {
      base::MutexLock lock(state->mutex);
      absl::Duration left = state->timeout;
      while (state->reading && !state->over && left > absl::ZeroDuration()) {
        state->changed.WaitFor(state->mutex, left);
        left = deadline - base::RealClock().Monotonic();
      }
      over = state->over;
      const bool done = !state->reading && state->path == path;
      probe = done ? AnswerOf(state->content)
                   : Problem(absl::StrCat("reading ", path, " took longer than ",
                                          absl::FormatDuration(state->timeout)));
    }
    if (!over) state->answer(std::move(probe));
    base::MutexLock lock(state->mutex);
    --state->waiting;
    state->changed.SignalAll();
  }).detach();
}

}  // namespace rm::worker
