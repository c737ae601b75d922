// One thread that runs tasks one after the other: what a part of the coordinator owns, only its
// thread touches, so that nothing in it needs a lock.
//
//   TaskThread engine([&] { return coordinator.Tick(); });
//   engine.Start();
//   engine.Post([&] { coordinator.Submit(request, done); });
//
// Tasks posted while a batch runs make up the next batch; after each batch the hook runs once. So
// whatever is costly and can be shared (a sync of the disk) belongs into the hook.
#ifndef RM_RUNTIME_COORDINATOR_TASK_THREAD_H_
#define RM_RUNTIME_COORDINATOR_TASK_THREAD_H_

#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace rm::coordinator {

// Thread-safe. Tasks run in the order in which they were posted; each, with what it holds, is
// destroyed before the next one begins. A task may post further ones but may not wait for them.
class TaskThread {
 public:
  using Task = std::function<void()>;
  // Returns how long to wait at most for the next task; when that time is over it is called again.
  using AfterBatch = std::function<absl::Duration()>;

  explicit TaskThread(AfterBatch after_batch = nullptr);
  ~TaskThread();  // stops
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  // Queues a task; never blocks on a running one. After Stop it is dropped without being run.
  void Post(Task task);

  // Posts `task` and waits until it has run. False when the thread is stopped, or `limit` has
  // passed (the task may still run then: it must own what it touches). Not from a task.
  bool PostAndWait(Task task, absl::Duration limit = absl::InfiniteDuration());

  // Begins to run tasks. REQUIRES: called once at most.
  void Start();

  // Runs what is queued, with what those tasks post, then ends the thread. Idempotent; not from a
  // task.
  void Stop();

  // Runs one batch and the hook on the calling thread, and returns what the hook returned: for
  // tests. REQUIRES: not started.
  absl::Duration RunBatch();

 private:
  // The thread: batch, hook, batch, hook … until it is stopped and nothing is left.
  void Run();
  // Waits up to `limit` for tasks, takes them, and runs them; false when stopped and nothing is
  // left.
  bool RunNext(absl::Duration limit);

  const AfterBatch after_batch_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;  // the thread has ended: nothing runs any more
  std::thread thread_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_TASK_THREAD_H_
