#include "runtime/coordinator/test_stream_worker.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/version.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

constexpr absl::Duration kPatience = absl::Seconds(30);
constexpr absl::Duration kBeatEvery = absl::Milliseconds(200);

}  // namespace

pb::Hello StreamWorker::HelloOf(const std::string& id, int32_t slots) {
  pb::Hello hello;
  hello.set_worker_id(id);
  hello.set_host("host-of-" + id);
  hello.set_version(std::string(base::kVersion));
  hello.set_slots(slots);
  hello.set_advertise_host("127.0.0.1");
  hello.set_pid(100);
  return hello;
}

StreamWorker::StreamWorker(const std::string& address, const pb::Hello& hello)
    : stub_(
          pb::Workers::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
  context_.set_wait_for_ready(true);
  stream_ = stub_->Attach(&context_);
  pb::WorkerMessage message;
  *message.mutable_hello() = hello;
  Send(message);
  reader_ = std::thread([this] { Read(); });
  beater_ = std::thread([this] { Beat(); });
}

StreamWorker::~StreamWorker() {
  {
    base::MutexLock lock(mutex_);
    leaving_ = true;
    changed_.SignalAll();
  }
  Break();
  beater_.join();
  reader_.join();
}

void StreamWorker::Beat() {
  pb::WorkerMessage beat;
  beat.mutable_heartbeat();
  while (true) {
    {
      base::MutexLock lock(mutex_);
      const absl::Time next = absl::Now() + kBeatEvery;  // signals come for other reasons, too
      while (!leaving_ && !ended_ && absl::Now() < next) {
        (void)changed_.WaitFor(mutex_, next - absl::Now());
      }
      if (leaving_ || ended_) return;
    }
    Send(beat);
  }
}

void StreamWorker::Send(const pb::WorkerMessage& message) {
  base::MutexLock lock(writing_);
  stream_->Write(message);  // false: the stream has ended, which the reader sees
}

void StreamWorker::Report(const pb::RankRef& rank, const pb::RankMessage& said) {
  pb::WorkerMessage message;
  *message.mutable_report()->mutable_rank() = rank;
  *message.mutable_report()->mutable_message() = said;
  Send(message);
}

void StreamWorker::Finish(const pb::RankRef& rank, int64_t step) {
  pb::RankMessage finished;
  finished.mutable_finished()->set_step(step);
  finished.mutable_finished()->set_weights_sha256("cafe");
  (*finished.mutable_finished()->mutable_metrics())["validation/accuracy"] = 0.98;
  Report(rank, finished);
  pb::WorkerMessage exited;
  *exited.mutable_exited()->mutable_rank() = rank;
  Send(exited);
}

void StreamWorker::Read() {
  pb::WorkerCommand command;
  while (stream_->Read(&command)) {
    Answer(command);
    base::MutexLock lock(mutex_);
    commands_.push_back(command);
    changed_.SignalAll();
  }
  const grpc::Status status = stream_->Finish();
  base::MutexLock lock(mutex_);
  status_ = status;
  ended_ = true;
  changed_.SignalAll();
}

void StreamWorker::Answer(const pb::WorkerCommand& command) {
  if (command.has_welcome()) {
    pb::WorkerMessage message;
    const auto content = base::PosixFileSystem().ReadFile(command.welcome().probe_path());
    message.mutable_storage_probe()->set_content(content.value_or(""));
    Send(message);
  } else if (command.has_preflight()) {
    pb::WorkerMessage message;
    message.mutable_preflight()->set_job_id(command.preflight().job_id());
    Send(message);
  } else if (command.has_start_rank()) {
    const pb::RankRef& rank = command.start_rank().start().rank();
    {
      base::MutexLock lock(mutex_);
      ranks_.push_back(rank);
    }
    pb::RankMessage listening;
    listening.mutable_listening()->set_address(absl::StrCat("127.0.0.1:", 5000 + rank.rank()));
    Report(rank, listening);
  } else if (command.has_start_generation()) {
    std::vector<pb::RankRef> ranks;
    {
      base::MutexLock lock(mutex_);
      ranks = ranks_;
    }
    pb::RankMessage joined;
    joined.mutable_joined();
    for (const pb::RankRef& rank : ranks) {
      if (rank.job_id() == command.start_generation().job_id()) Report(rank, joined);
    }
  }
}

pb::WorkerCommand StreamWorker::Await(const std::function<bool(const pb::WorkerCommand&)>& holds) {
  base::MutexLock lock(mutex_);
  size_t seen = 0;
  while (true) {
    for (; seen < commands_.size(); ++seen) {
      if (holds(commands_[seen])) return commands_[seen];
    }
    RM_CHECK(!ended_, "the stream has ended: ", status_.error_message());
    RM_CHECK(changed_.WaitFor(mutex_, kPatience), "no such command came");
  }
}

std::vector<pb::RankRef> StreamWorker::AwaitRunning(const std::string& job_id) {
  (void)Await([&](const pb::WorkerCommand& command) {
    return command.start_generation().job_id() == job_id;
  });
  std::vector<pb::RankRef> running;
  base::MutexLock lock(mutex_);
  for (const pb::RankRef& rank : ranks_) {
    if (rank.job_id() == job_id) running.push_back(rank);
  }
  return running;
}

grpc::Status StreamWorker::AwaitEnd() {
  base::MutexLock lock(mutex_);
  while (!ended_) RM_CHECK(changed_.WaitFor(mutex_, kPatience), "the stream did not end");
  return status_;
}

}  // namespace rm::coordinator
