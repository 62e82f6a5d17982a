-- Alibaba cluster-trace-v2017: events and usage of servers and containers, batch tasks and instances, CSV without header
--
-- Source: github.com/alibaba/clusterdata, cluster-trace-v2017: schema.csv, trace_201708.md. Times are seconds from the start
-- of the recording, taken as 1970-01-01 00:00 UTC; 0 and negative ones are before it, or none. Cores are cores, but
-- plan_cpu of batch tasks counts 100 for one (issue 11 there). Utilisation is percent of what a server has or a container
-- asked for, measured at whole minutes. Memory is a share of the largest server's, whose size is not told: the scenario must
-- assume it ([demand] assumed_memory_gib). Ids are numbers that servers and containers both have: here m_1 and c_1, as in
-- the trace of 2018. What becomes a workload is told as there: containers and, pooled by the server they ran on, batch
-- instances; batch tasks only where no instances are recorded, servers only where nothing that runs on them is.

create temp table server_event (
    "time" bigint not null check ("time" between -1e7 and 1e7),
    machine_id bigint not null check (machine_id >= 0),
    event varchar not null check (lower(event) in ('add', 'softerror', 'harderror')),
    detail varchar,
    cpus double check (cpus between 0 and 1e6),
    memory double check (memory between 0 and 10),
    disk double check (disk between 0 and 10)
);
comment on table server_event is '{"header": false}';

create temp table server_usage (
    "time" bigint not null check ("time" between 0 and 1e7) check ("time" % 60 = 0),
    machine_id bigint not null check (machine_id >= 0),
    cpu_util double check (cpu_util between -1 and 101),
    mem_util double check (mem_util between -1 and 101),
    disk_util double check (disk_util between -1 and 101),
    load1 double check (load1 between -1 and 1e6),
    load5 double check (load5 between -1 and 1e6),
    load15 double check (load15 between -1 and 1e6),
    check (coalesce(cpu_util, mem_util) is not null)
);
comment on table server_usage is '{"header": false, "streamed": true}';

create temp table container_event (
    "time" bigint not null check ("time" between -1e7 and 1e7),
    event varchar not null check (lower(event) in ('create', 'remove')),
    instance_id bigint not null check (instance_id >= 0),
    machine_id bigint not null check (machine_id >= 0),
    cpus double not null check (cpus between 0 and 1e6),
    memory double check (memory between 0 and 10),
    disk double check (disk between 0 and 10),
    cpuset varchar
);
comment on table container_event is '{"header": false}';

-- The same with a comma at the end of each line, as some copies of the trace have it.
create temp table container_event_ended (
    "time" bigint not null check ("time" between -1e7 and 1e7),
    event varchar not null check (lower(event) in ('create', 'remove')),
    instance_id bigint not null check (instance_id >= 0),
    machine_id bigint not null check (machine_id >= 0),
    cpus double not null check (cpus between 0 and 1e6),
    memory double check (memory between 0 and 10),
    disk double check (disk between 0 and 10),
    cpuset varchar,
    nothing varchar
);
comment on table container_event_ended is '{"header": false}';

create temp table container_usage (
    "time" bigint not null check ("time" between 0 and 1e7) check ("time" % 60 = 0),
    instance_id bigint not null check (instance_id >= 0),
    cpu_util double check (cpu_util between -1 and 1e4),
    mem_util double check (mem_util between -1 and 101),
    disk_util double check (disk_util between -1 and 1e4),
    load1 double check (load1 between -1 and 1e6),
    load5 double check (load5 between -1 and 1e6),
    load15 double check (load15 between -1 and 1e6),
    avg_cpi double,
    avg_mpki double,
    max_cpi double,
    max_mpki double,
    check (coalesce(cpu_util, mem_util) is not null)
);
comment on table container_usage is '{"header": false, "streamed": true}';

create temp table batch_task (
    created_at bigint not null check (created_at between -1e7 and 1e7),
    modified_at bigint check (modified_at between -1e7 and 1e7),
    job_id bigint not null check (job_id >= 0),
    task_id bigint not null check (task_id >= 0),
    instances bigint not null check (instances between 0 and 1e9),
    status varchar not null check (lower(status) in ('ready', 'waiting', 'running', 'terminated', 'failed', 'cancelled')),
    plan_cpu double check (plan_cpu between 0 and 1e7),
    plan_mem double check (plan_mem between 0 and 100)
);
comment on table batch_task is '{"header": false}';

create temp table batch_instance (
    started_at bigint check (started_at between -1e7 and 1e7),
    ended_at bigint check (ended_at between -1e7 and 1e7),
    job_id bigint,
    task_id bigint,
    machine_id bigint,
    status varchar not null
        check (lower(status) in ('ready', 'waiting', 'running', 'terminated', 'failed', 'cancelled', 'interrupted')),
    seq_no bigint,
    total_seq_no bigint,
    cpu_max double check (cpu_max between -1 and 1e5),
    cpu_avg double check (cpu_avg between -1 and 1e5),
    mem_max double check (mem_max between -1 and 100),
    mem_avg double check (mem_avg between -1 and 100)
);
comment on table batch_instance is '{"header": false}';

create temp macro moment(seconds) as make_timestamp(cast(seconds * 1000000 as bigint));
create temp macro valid(number) as case when number >= 0 then number end;

create temp table sized as
select
    'c_' || instance_id as workload, max(cpus) as cores, max(memory) as memory,
    min("time") filter (lower(event) = 'create') as since, max("time") filter (lower(event) = 'remove') as until
from (
    select "time", event, instance_id, cpus, memory from container_event
    union all
    select "time", event, instance_id, cpus, memory from container_event_ended
)
group by instance_id;

create temp table racks as
select 'm_' || machine_id as workload, max(cpus) as cores, max(memory) as memory from server_event group by machine_id;

insert into usage by name
select
    $trace_id as trace_id, 'c_' || u.instance_id as workload, moment(u.time) as sampled_at,
    valid(u.cpu_util) / 100 * s.cores as cpu_cores, valid(u.cpu_util) as cpu_percent,
    valid(u.mem_util) * coalesce(s.memory, 1) as memory_percent
from container_usage u left join sized s on s.workload = 'c_' || u.instance_id;

-- A batch instance counts in each five minutes by the part of them that it ran, a second at least; what ran before the
-- recording began counts from its beginning.
create temp macro has_run(machine, a, b, cpu, mem) as
    coalesce(machine is not null and b > 0 and b >= a and a <> 0 and coalesce(valid(cpu), valid(mem)) is not null, false);

create temp table runs as
select 'batch/m_' || machine_id as workload, coalesce(valid(cpu_avg), 0) as cores, 100 * coalesce(valid(mem_avg), 0) as memory_percent,
    greatest(started_at, 0) as a, greatest(ended_at, started_at + 1) as b
from batch_instance where has_run(machine_id, started_at, ended_at, cpu_avg, mem_avg);

create temp table pieces as from in_slots('runs');

-- Five minutes without a batch instance are none without a sample.
insert into usage by name
with slots as (select unnest(generate_series(min(slot), max(slot))) as slot from pieces)
select
    $trace_id as trace_id, w.workload, moment(300 * s.slot) as sampled_at, coalesce(p.cpu_cores, 0) as cpu_cores,
    coalesce(p.memory_percent, 0) as memory_percent
from (select distinct workload from pieces) w cross join slots s left join pieces p using (workload, slot);

create temp table running as select distinct workload from usage where trace_id = $trace_id;

insert into usage by name
select
    $trace_id as trace_id, 'm_' || u.machine_id as workload, moment(u.time) as sampled_at,
    valid(u.cpu_util) / 100 * m.cores as cpu_cores, valid(u.cpu_util) as cpu_percent,
    valid(u.mem_util) * coalesce(m.memory, 1) as memory_percent
from server_usage u left join racks m on m.workload = 'm_' || u.machine_id;

insert into workloads by name
select
    $trace_id as trace_id, workload, 'container' as kind, s.cores as cpu_cores, s.memory as memory_share,
    case when s.since > 0 then moment(s.since) end as created_at, case when s.until > 0 then moment(s.until) end as deleted_at
from (select workload from running where not starts_with(workload, 'batch/')) r full join sized s using (workload);

-- A pool is as large as the most that was used of it.
insert into workloads by name
select
    $trace_id as trace_id, workload, 'container' as kind, 'batch' as application, max(cpu_cores) as cpu_cores,
    max(memory_percent) / 100 as memory_share, true as interruptible, true as scales_out
from pieces
group by workload;

insert into workloads by name
select
    $trace_id as trace_id, job_id || '/' || task_id as workload, 'container' as kind, cast(job_id as varchar) as application,
    max(plan_cpu / 100 * instances) as cpu_cores, max(plan_mem * instances) as memory_share,
    true as interruptible, true as scales_out, case when min(created_at) > 0 then moment(min(created_at)) end as created_at,
    case when max(modified_at) > greatest(min(created_at), 0) and bool_and(lower(status) in ('terminated', 'failed', 'cancelled'))
        then moment(max(modified_at)) end as deleted_at
from batch_task where not exists (from pieces)
group by job_id, task_id;

create temp table racked as
select workload, m.cores, m.memory
from racks m
full join (select distinct workload from usage where trace_id = $trace_id and workload not in (from running)) u using (workload);

insert into workloads by name
select $trace_id as trace_id, workload, 'server' as kind, cores as cpu_cores, memory as memory_share
from racked where not exists (from workloads where trace_id = $trace_id);

insert into notes
select 'memory is a share of the largest machine: the scenario must assume its GiB' from (select 1);

insert into notes
select 'no date is recorded: second 0 is taken as 1970-01-01 00:00 UTC, a Thursday' from (select 1);

insert into notes
select format('{} machines with {} cores are what all this runs on, no demand of their own', count(*), coalesce(sum(cores), 0))
from racked where exists (from workloads where trace_id = $trace_id and kind = 'container') having count(*) > 0;

insert into notes
select format('{} containers have usage and no event that tells what they asked for: only percent are known of them', count(*))
from running where not starts_with(workload, 'batch/') and workload not in (select workload from sized) having count(*) > 0;

insert into notes
select format('{} of {} batch instances did not start or end, or have no machine or no measure: they are left out',
    count(*) filter (not has_run(machine_id, started_at, ended_at, cpu_avg, mem_avg)), count(*))
from batch_instance having count(*) filter (not has_run(machine_id, started_at, ended_at, cpu_avg, mem_avg)) > 0;

insert into notes
select format('batch instances are pooled by machine, in {} pools; {} batch tasks say what they asked for and are not used',
    count(distinct workload), (select count(*) from batch_task))
from pieces having count(*) > 0;

insert into notes
select format('{} batch tasks are sized as allocated, all their instances at once', count(*))
from batch_task where not exists (from pieces) having count(*) > 0;
