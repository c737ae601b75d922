// The worker daemon: `ringmaster-worker`.
#ifndef RM_RUNTIME_WORKER_MAIN_H_
#define RM_RUNTIME_WORKER_MAIN_H_

namespace rm::worker {

// The exit code of a worker that its coordinator refuses for good (another version, an id that is taken): starting it again
// changes nothing. As trainctl's "not permitted".
inline constexpr int kWorkerRefused = 77;

// Attaches to its coordinator and runs ranks until SIGTERM or SIGINT; then every rank of it is killed. Returns the exit
// code: 0 stopped, 1 a folder that cannot be used, 2 usage, kWorkerRefused. What went wrong is one line on standard error.
int WorkerMain(int argc, char** argv);

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_MAIN_H_
