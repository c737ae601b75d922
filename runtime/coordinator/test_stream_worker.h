// A worker that a test plays over a real stream: for tests.
//
// What it is commanded it answers as a worker with well-behaved ranks would, up to the point that
// the test allows: storage read, preflight passed, listening, joined, and on Finish() trained and
// gone.
#ifndef RM_RUNTIME_COORDINATOR_TEST_STREAM_WORKER_H_
#define RM_RUNTIME_COORDINATOR_TEST_STREAM_WORKER_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "proto/worker.grpc.pb.h"

namespace rm::coordinator {

// Thread-safe.
class StreamWorker {
 public:
  // Attaches to the coordinator at `address`.
  StreamWorker(const std::string& address, const ::ringmaster::v1::Hello& hello);
  // Ends the stream.
  ~StreamWorker();

  [[nodiscard]] static ::ringmaster::v1::Hello HelloOf(const std::string& id, int32_t slots);

  void Send(const ::ringmaster::v1::WorkerMessage& message);
  void Report(const ::ringmaster::v1::RankRef& rank, const ::ringmaster::v1::RankMessage& said);
  // The rank has trained to its end and exits.
  void Finish(const ::ringmaster::v1::RankRef& rank, int64_t step);

  // Waits until a command for which `holds` is true has come; fails the process after 30 s.
  ::ringmaster::v1::WorkerCommand Await(
      const std::function<bool(const ::ringmaster::v1::WorkerCommand& command)>& holds);
  // Waits until the ranks of a job have been told their peers; returns those that run here.
  std::vector<::ringmaster::v1::RankRef> AwaitRunning(const std::string& job_id);
  // Waits for the end of the stream and returns its status.
  grpc::Status AwaitEnd();
  // Breaks the stream, as a network would.
  void Break() { context_.TryCancel(); }

 private:
  void Read();
  // Says every 200 ms that it is there, as a worker does.
  void Beat();
  void Answer(const ::ringmaster::v1::WorkerCommand& command);

  grpc::ClientContext context_;
  std::unique_ptr<::ringmaster::v1::Workers::Stub> stub_;
  std::unique_ptr<
      grpc::ClientReaderWriter<::ringmaster::v1::WorkerMessage, ::ringmaster::v1::WorkerCommand>>
      stream_;
  base::Mutex writing_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<::ringmaster::v1::WorkerCommand> commands_ ABSL_GUARDED_BY(mutex_);
  std::vector<::ringmaster::v1::RankRef> ranks_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;
  std::thread beater_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_TEST_STREAM_WORKER_H_
