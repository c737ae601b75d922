// Batches, not single tasks: the whole queue is taken under one lock, and the hook after it runs
// once for all of them. Under load batches grow by themselves, which is what makes one sync of the
// disk serve many requests.
#include "runtime/coordinator/task_thread.h"

#include <memory>
#include <utility>

#include "base/check.h"

namespace rm::coordinator {

TaskThread::TaskThread(AfterBatch after_batch) : after_batch_(std::move(after_batch)) {}

TaskThread::~TaskThread() { Stop(); }

void TaskThread::Post(Task task) {
  base::MutexLock lock(mutex_);
  if (over_) return;  // the task ends here, and with it what it holds: a waiter is released
  queue_.push_back(std::move(task));
  changed_.SignalAll();
}

bool TaskThread::PostAndWait(Task task, absl::Duration limit) {
  // Shared by the waiter and the task: whichever ends last frees it.
  struct Meeting {
    base::Mutex mutex;
    base::CondVar changed;
    bool ran ABSL_GUARDED_BY(mutex) = false;
    bool over ABSL_GUARDED_BY(mutex) = false;

    void End(bool has_run) {
      base::MutexLock lock(mutex);
      ran = ran || has_run;
      over = true;
      changed.SignalAll();
    }
  };
  const auto meeting = std::make_shared<Meeting>();
  // Lives as long as the task: a task that is dropped ends the wait too.
  auto end = std::shared_ptr<void>(nullptr, [meeting](void*) { meeting->End(false); });
  Post([meeting, task = std::move(task), end = std::move(end)] {
    task();
    meeting->End(true);
  });
  base::MutexLock lock(meeting->mutex);
  while (!meeting->over) {
    if (limit == absl::InfiniteDuration()) {
      meeting->changed.Wait(meeting->mutex);
    } else if (!meeting->changed.WaitFor(meeting->mutex, limit)) {
      break;
    }
  }
  return meeting->ran;
}

void TaskThread::Start() {
  RM_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { Run(); });
}

void TaskThread::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
  // Destroyed after the lock is given back: a task's end may post again.
  std::vector<Task> dropped;
  base::MutexLock lock(mutex_);
  over_ = true;
  dropped.swap(queue_);  // of a thread that never started
}

void TaskThread::Run() {
  absl::Duration limit = absl::ZeroDuration();
  while (RunNext(limit)) {
    limit = after_batch_ ? after_batch_() : absl::InfiniteDuration();
  }
}

bool TaskThread::RunNext(absl::Duration limit) {
  std::vector<Task> batch;
  {
    base::MutexLock lock(mutex_);
    while (queue_.empty() && !stopping_) {
      if (limit == absl::InfiniteDuration()) {
        changed_.Wait(mutex_);
      } else if (!changed_.WaitFor(mutex_, limit)) {
        break;
      }
    }
    // Set under the same lock that found nothing: no task can slip in between and be forgotten.
    if (queue_.empty() && stopping_) {
      over_ = true;
      return false;
    }
    batch.swap(queue_);
  }
  for (Task& task : batch) {
    task();
    task = nullptr;  // what it holds ends here, in order
  }
  return true;
}

absl::Duration TaskThread::RunBatch() {
  RM_CHECK(!thread_.joinable());
  RunNext(absl::ZeroDuration());
  return after_batch_ ? after_batch_() : absl::InfiniteDuration();
}

}  // namespace rm::coordinator
