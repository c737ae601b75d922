// The worker daemon: `ringmaster-worker`.
#ifndef RM_RUNTIME_WORKER_MAIN_H_
#define RM_RUNTIME_WORKER_MAIN_H_

namespace rm::worker {

// Attaches to its coordinator and runs ranks until SIGTERM or SIGINT; then every rank of it is killed. Returns the exit
// code: 0 stopped, 1 refused by the coordinator or a folder that cannot be used, 2 usage.
int WorkerMain(int argc, char** argv);

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_MAIN_H_
