// The border between what workers say and what the scheduler is told. Nothing is believed that the
// scheduler does not check itself: stale generations, unknown ranks and repeated reports go through
// as events and are refused there, counted and with a reason.
#include "runtime/coordinator/worker_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "base/version.h"
#include "runtime/coordinator/request_limits.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// A stream that was silent for longer may be replaced by another process of the same id: its
// machine was restarted, or its network is gone.
constexpr absl::Duration kIdIsHeldFor = absl::Milliseconds(1500);

constexpr absl::string_view kProbeTimeout = "reading the probe file took longer than 2 s";

pb::TrainingDone TrainingDoneOf(const pb::RankRef& rank, const pb::Finished& finished) {
  pb::TrainingDone done;
  *done.mutable_rank() = rank;
  done.set_step(finished.step());
  *done.mutable_metrics() = finished.metrics();
  done.set_weights_sha256(finished.weights_sha256());
  return done;
}

}  // namespace

pb::Event EventOf(const pb::RankReport& report) {
  const pb::RankRef& rank = report.rank();
  const pb::RankMessage& message = report.message();
  pb::Event event;
  if (message.has_listening()) {
    *event.mutable_rank_listening()->mutable_rank() = rank;
    event.mutable_rank_listening()->set_address(message.listening().address());
  } else if (message.has_joined()) {
    *event.mutable_rank_joined()->mutable_rank() = rank;
    event.mutable_rank_joined()->set_first_step(message.joined().first_step());
    if (message.joined().has_plan()) {
      *event.mutable_rank_joined()->mutable_plan() = message.joined().plan();
    }
  } else if (message.has_committed()) {
    pb::CheckpointCommitted& committed = *event.mutable_checkpoint_committed();
    *committed.mutable_rank() = rank;
    committed.set_step(message.committed().step());
    committed.set_path(message.committed().path());
    *committed.mutable_metrics() = message.committed().metrics();
  } else if (message.has_finished() && rank.rank() == 0 && !message.finished().stopped()) {
    *event.mutable_training_done() = TrainingDoneOf(rank, message.finished());
  } else if (message.has_notice()) {
    *event.mutable_rank_notice()->mutable_rank() = rank;
    *event.mutable_rank_notice()->mutable_notice() = message.notice().reason();
    event.mutable_rank_notice()->set_step(message.notice().step());
  }
  return event;
}

WorkerSession::WorkerSession(Coordinator& coordinator, std::shared_ptr<WorkerLink> link)
    : coordinator_(coordinator), link_(std::move(link)) {}

void WorkerSession::OnMessage(pb::WorkerMessage message) {
  // True for a second Hello, and for anything else before the first.
  if (message.has_hello() != worker_id_.empty()) {
    link_->Close(absl::InvalidArgumentError("the first message, and only that, is Hello"));
    OnEnd();
    return;
  }
  if (message.has_hello()) return OnHello(message.hello());
  // Replaced or lost: what its worker has to say comes over its new stream, from the start.
  if (!coordinator_.workers().IsPresent(worker_id_, link_.get())) return;
  if (message.has_storage_probe()) return OnProbe(message.storage_probe());
  // Logs are in nobody's way, and may be large: they need not wait.
  if (is_attached_ || message.has_log()) return OnWord(std::move(message));
  held_.push_back(std::move(message));
}

void WorkerSession::OnWord(pb::WorkerMessage message) {
  switch (message.message_case()) {
    case pb::WorkerMessage::kReport: return OnReport(message.report());
    case pb::WorkerMessage::kExited: return OnExited(std::move(*message.mutable_exited()));
    case pb::WorkerMessage::kLog:
      // Folders are made for jobs that exist, not for whatever a worker names.
      if (coordinator_.state().FindJob(message.log().rank().job_id()) == nullptr) return;
      return coordinator_.config().on_log(worker_id_, std::move(*message.mutable_log()));
    case pb::WorkerMessage::kPreflight:
      coordinator_.preflights().OnReport(worker_id_, message.preflight());
      return;
    case pb::WorkerMessage::kRefused: {
      pb::Event event;
      *event.mutable_start_refused() = message.refused();
      return AddReported(std::move(event));
    }
    case pb::WorkerMessage::kHeartbeat:  // that it came is noted by the link
    case pb::WorkerMessage::kStorageProbe:
    case pb::WorkerMessage::kHello:
    case pb::WorkerMessage::MESSAGE_NOT_SET: return;
  }
}

void WorkerSession::AddReported(pb::Event event) {
  event.set_reported_by(worker_id_);
  coordinator_.Add(std::move(event));
}

void WorkerSession::OnHello(const pb::Hello& hello) {
  const absl::Status checked = CheckHello(hello);
  if (!checked.ok()) {
    base::LogWarning("worker '", hello.worker_id().substr(0, kNameBytesMax),
                     "' may not attach: ", checked.message());
    return link_->Close(checked);
  }
  // Entered before the event is decided: the actions of its step (start, stop, repeat) must find
  // the stream.
  worker_id_ = hello.worker_id();
  hello_ = hello;
  coordinator_.workers().Attach(hello, link_);
  coordinator_.liveness().Attached(worker_id_, coordinator_.clock().Monotonic());
  const StorageProbeFile& probe = coordinator_.config().probe;
  pb::WorkerCommand welcome;
  welcome.mutable_welcome()->set_version(coordinator_.config().version);
  welcome.mutable_welcome()->set_storage(coordinator_.config().folders.storage);
  welcome.mutable_welcome()->set_probe_path(probe.path);
  link_->Send(welcome);
  if (probe.path.empty()) return BecomeAttached("");
  // Nobody waits for a stream that has ended meanwhile.
  const std::weak_ptr<WorkerSession> session = weak_from_this();
  coordinator_.Await(
      [session] {
        const auto present = session.lock();
        return present == nullptr || present->is_attached_;
      },
      kProbeWithin,
      [session] {
        const auto present = session.lock();
        if (present != nullptr) present->OnProbeTimeout();
      });
}

void WorkerSession::OnProbe(const pb::StorageProbe& answer) {
  const std::string problem = StorageProblem(answer);
  if (!is_attached_) return BecomeAttached(problem);
  const AttachedWorkers::Attached* const attached = coordinator_.workers().Find(worker_id_);
  if (!problem.empty() || attached == nullptr || attached->storage_problem.empty()) return;
  // Slow, or after an answer that was meant for a coordinator before us, but the right storage.
  // What the worker runs by now it knows better than we do, so it is not attached a second time on
  // this stream.
  link_->Close(absl::AbortedError("the storage can be read after all: attach again"));
  OnEnd();
}

void WorkerSession::OnProbeTimeout() {
  if (is_attached_ || !coordinator_.workers().IsPresent(worker_id_, link_.get())) return;
  BecomeAttached(absl::StrCat(coordinator_.config().folders.storage, ": ", kProbeTimeout));
}

std::string WorkerSession::StorageProblem(const pb::StorageProbe& answer) const {
  const CoordinatorConfig& config = coordinator_.config();
  if (!answer.problem().empty()) {
    return absl::StrCat("it cannot read ", config.probe.path, ": ", answer.problem());
  }
  if (answer.content() == config.probe.content) return "";
  return absl::StrCat(config.folders.storage, " is another folder there than on the coordinator");
}

void WorkerSession::BecomeAttached(const std::string& storage_problem) {
  is_attached_ = true;
  if (!storage_problem.empty()) {
    base::LogWarning("worker ", worker_id_, " on ", hello_.host(),
                     " gets no ranks: StorageNotShared: ", storage_problem);
  }
  coordinator_.workers().Admit(worker_id_, storage_problem);
  pb::Event event;
  pb::WorkerAttached& attached = *event.mutable_worker_attached();
  attached.set_worker_id(hello_.worker_id());
  attached.set_host(hello_.host());
  attached.set_slots(hello_.slots());
  *attached.mutable_labels() = hello_.labels();
  *attached.mutable_running() = hello_.running();
  attached.set_version(hello_.version());
  attached.set_storage_problem(storage_problem);
  event.set_reported_by(worker_id_);
  coordinator_.Add(std::move(event), [link = link_](const absl::Status& status) {
    if (!status.ok()) link->Close(status);
  });
  std::vector<pb::WorkerMessage> held;
  held.swap(held_);
  for (pb::WorkerMessage& message : held) OnWord(std::move(message));
}

absl::Status WorkerSession::CheckHello(const pb::Hello& hello) const {
  const CoordinatorConfig& config = coordinator_.config();
  RM_RETURN_IF_ERROR(CheckLimits(hello));
  if (!base::VersionsAgree(hello.version(), config.version)) {
    return absl::FailedPreconditionError(absl::StrCat("the worker is version '", hello.version(),
                                                      "', the coordinator is '", config.version,
                                                      "': use the same release on both"));
  }
  return CheckIdIsFree(hello);
}

absl::Status WorkerSession::CheckIdIsFree(const pb::Hello& hello) const {
  const AttachedWorkers::Attached* const present = coordinator_.workers().Find(hello.worker_id());
  if (present == nullptr) return absl::OkStatus();
  const pb::Hello& other = present->hello;
  // The same process dials again when it sees a break before we do.
  if (other.pid() == hello.pid() && other.host() == hello.host()) return absl::OkStatus();
  if (coordinator_.liveness().SilentFor(hello.worker_id()) >= kIdIsHeldFor) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat("worker id '", hello.worker_id(),
                                               "' is in use by process ", other.pid(), " on ",
                                               other.host(), ": give this worker another --id"));
}

void WorkerSession::OnReport(const pb::RankReport& report) {
  // Live reports are kept by job and rank, so unknown ones must not make entries. The scheduler
  // hears of them all the same: it refuses them, and has such a rank stopped.
  const scheduler::Job* const job = coordinator_.state().FindJob(report.rank().job_id());
  const pb::RankRef& rank = report.rank();
  const bool is_known = job != nullptr && rank.generation() <= job->generation &&
                        rank.rank() >= 0 && static_cast<size_t>(rank.rank()) < job->gang.size();
  if (is_known) {
    if (report.message().failed().reason().code() == "PeerLost") ConfirmLosses(*job);
    coordinator_.live().OnReport(rank, report.message(), coordinator_.clock().Now());
    coordinator_.hang_watch().OnReport(rank, report.message(), coordinator_.clock().Monotonic());
  }
  pb::Event event = EventOf(report);
  if (event.event_case() != pb::Event::EVENT_NOT_SET) AddReported(std::move(event));
}

void WorkerSession::ConfirmLosses(const scheduler::Job& job) {
  // Which peer a rank has lost it cannot know: what it sees of the death of one is the other one's
  // leaving. So it speaks against all others, and that weighs only against those that are silent
  // themselves (liveness.h).
  const absl::Duration now = coordinator_.clock().Monotonic();
  for (const scheduler::GangRank& rank : job.gang) {
    coordinator_.liveness().EdgeLost(worker_id_, rank.where.worker_id(), now);
  }
}

void WorkerSession::OnExited(pb::RankExited exited) {
  // Workers fill these in; one that was restarted between the report and the exit cannot.
  const LiveRank* const live = coordinator_.live().Find(exited.rank());
  if (live != nullptr) {
    if (exited.cause().code().empty()) *exited.mutable_cause() = live->failed.reason();
    if (exited.step() == 0) exited.set_step(live->progress.step());
  }
  pb::Event event;
  *event.mutable_rank_exited() = std::move(exited);
  AddReported(std::move(event));
}

void WorkerSession::OnEnd() {
  // A break is no loss yet: the worker has 1.5 s to dial again (liveness.h).
  if (worker_id_.empty() || !coordinator_.workers().Detach(worker_id_, link_.get())) return;
  coordinator_.liveness().Broken(worker_id_, coordinator_.clock().Monotonic());
  coordinator_.preflights().OnDetached(worker_id_);
}

}  // namespace rm::coordinator
