-- Google ClusterData 2011 (v2.1): task_usage, task_events and machine_events parts, CSV without header
--
-- Source: github.com/google/cluster-data, ClusterData2011_2.md and its format + schema document. Times are microseconds;
-- 600 s are 2011-05-01 19:00 EDT, 0 is before the trace, 2^63-1 after it. CPU and memory are shares of the largest machine,
-- whose size is not told: the scenario must assume it ([demand] assumed_cpu_cores and assumed_memory_gib). A task is a
-- container of what it asked for (task_events), or of the most it used where that is not told. Machines are what the tasks
-- run on: they are workloads (servers, to be moved as they are) only where no tasks are recorded.

create temp table task_usage (
    start_time bigint not null check (start_time between 0 and 1e16),
    end_time bigint check (end_time between 0 and 1e16),
    job_id bigint not null check (job_id >= 0),
    task_index bigint not null check (task_index >= 0),
    machine_id bigint,
    cpu_rate double check (cpu_rate between 0 and 1e3),
    canonical_memory double check (canonical_memory between 0 and 1e3),
    assigned_memory double,
    unmapped_page_cache double,
    total_page_cache double,
    maximum_memory double,
    disk_io_time double,
    disk_space double,
    maximum_cpu_rate double,
    maximum_disk_io_time double,
    cycles_per_instruction double,
    accesses_per_instruction double,
    sample_portion double,
    aggregation_type double,
    sampled_cpu_rate double,
    check (coalesce(cpu_rate, canonical_memory) is not null),
    check (end_time >= start_time)
);
comment on table task_usage is '{"header": false, "streamed": true}';

-- clusterdata-2011-1 is the same without the last column.
create temp table task_usage_v1 (
    start_time bigint not null check (start_time between 0 and 1e16),
    end_time bigint check (end_time between 0 and 1e16),
    job_id bigint not null check (job_id >= 0),
    task_index bigint not null check (task_index >= 0),
    machine_id bigint,
    cpu_rate double check (cpu_rate between 0 and 1e3),
    canonical_memory double check (canonical_memory between 0 and 1e3),
    assigned_memory double,
    unmapped_page_cache double,
    total_page_cache double,
    maximum_memory double,
    disk_io_time double,
    disk_space double,
    maximum_cpu_rate double,
    maximum_disk_io_time double,
    cycles_per_instruction double,
    accesses_per_instruction double,
    sample_portion double,
    aggregation_type double,
    check (coalesce(cpu_rate, canonical_memory) is not null),
    check (end_time >= start_time)
);
comment on table task_usage_v1 is '{"header": false, "streamed": true}';

create temp table task_events (
    "time" bigint not null check ("time" >= 0),
    missing_info integer,
    job_id bigint not null check (job_id >= 0),
    task_index bigint not null check (task_index >= 0),
    machine_id bigint,
    event_type integer not null check (event_type between 0 and 8),
    "user" varchar,
    scheduling_class integer check (scheduling_class between 0 and 3),
    priority integer check (priority between 0 and 11),
    cpu_request double check (cpu_request between 0 and 1e3),
    memory_request double check (memory_request between 0 and 1e3),
    disk_request double,
    different_machines integer check (different_machines between 0 and 1)
);
comment on table task_events is '{"header": false}';

create temp table machine_events (
    "time" bigint not null check ("time" >= 0),
    machine_id bigint not null check (machine_id >= 0),
    event_type integer not null check (event_type between 0 and 2),
    platform_id varchar,
    cpus double check (cpus between 0 and 1e3),
    memory double check (memory between 0 and 1e3)
);
comment on table machine_events is '{"header": false}';

-- Part of the official folder; nothing in them is needed.
create temp table job_events (
    "time" bigint not null,
    missing_info integer,
    job_id bigint not null,
    event_type integer not null check (event_type between 0 and 8),
    "user" varchar,
    scheduling_class integer check (scheduling_class between 0 and 3),
    job_name varchar,
    logical_job_name varchar
);
comment on table job_events is '{"header": false, "aside": true}';
create temp table task_constraints (
    "time" bigint not null,
    job_id bigint not null,
    task_index bigint not null,
    operator integer not null check (operator between 0 and 3),
    attribute_name varchar not null,
    attribute_value varchar
);
comment on table task_constraints is '{"header": false, "aside": true}';
create temp table machine_attributes (
    "time" bigint not null,
    machine_id bigint not null,
    attribute_name varchar not null,
    attribute_value varchar,
    deleted integer not null check (deleted between 0 and 1)
);
comment on table machine_attributes is '{"header": false, "aside": true}';

create temp macro moment(us) as
    case when us between 1 and 1e16 then timestamp '2011-05-01 22:50:00' + to_microseconds(us) end;
create temp macro task(job, number) as job || '-' || number;

insert into usage by name
select
    $trace_id as trace_id, task(job_id, task_index) as workload, moment(greatest(start_time, 1)) as sampled_at,
    100 * cpu_rate as cpu_percent, 100 * canonical_memory as memory_percent
from task_usage;

insert into usage by name
select
    $trace_id as trace_id, task(job_id, task_index) as workload, moment(greatest(start_time, 1)) as sampled_at,
    100 * cpu_rate as cpu_percent, 100 * canonical_memory as memory_percent
from task_usage_v1;

-- What is asked for last counts; priorities 0 and 1 are "free". Types 2 to 6 end a task, unless it is submitted (0) or
-- scheduled (1) anew.
create temp table asked as
select
    task(job_id, task_index) as workload, any_value(job_id) as job_id, max("user") as owner,
    arg_max(cpu_request, ("time", cpu_request)) as cpu, arg_max(memory_request, ("time", memory_request)) as memory,
    max(priority) as priority, max(different_machines) as apart, moment(min("time")) as created_at,
    case when max("time") filter (event_type between 2 and 6) > max("time") filter (event_type in (0, 1))
        then moment(max("time")) end as deleted_at
from task_events
group by job_id, task_index;

insert into workloads by name
with used as (
    select workload, max(cpu_percent) / 100 as cpu, max(memory_percent) / 100 as memory
    from usage where trace_id = $trace_id group by workload
)
select
    $trace_id as trace_id, workload, 'container' as kind, a.owner, split_part(workload, '-', 1) as application,
    coalesce(nullif(a.cpu, 0), u.cpu) as cpu_share, coalesce(nullif(a.memory, 0), u.memory) as memory_share,
    a.priority <= 1 as interruptible, case when a.apart = 1 then cast(a.job_id as varchar) end as spread_group,
    a.created_at, a.deleted_at
from used u full join asked a using (workload);

create temp table racked as
select cast(machine_id as varchar) as workload, max(cpus) as cpu, max(memory) as memory,
    moment(min("time")) as created_at,
    case when max("time") filter (event_type = 1) > max("time") filter (event_type <> 1) then moment(max("time")) end
        as deleted_at
from machine_events
group by machine_id;

insert into workloads by name
select
    $trace_id as trace_id, workload, 'server' as kind, cpu as cpu_share, memory as memory_share, created_at, deleted_at
from racked where not exists (from workloads where trace_id = $trace_id);

insert into notes
select 'CPU and memory are shares of the largest machine: the scenario must assume its cores and GiB' from (select 1);

insert into notes
select format('{} machines, together {} of the largest in cores and {} in memory, are what the tasks run on, no demand of '
    'their own', count(*), round(sum(cpu), 2), round(sum(memory), 2))
from racked where exists (from workloads where trace_id = $trace_id and kind = 'container') having count(*) > 0;

insert into notes
select format('{} of {} tasks have no task event that tells what they asked for: they are as large as the most they used',
    count(*) filter (workload not in (select workload from asked where cpu > 0)), count(*))
from workloads where trace_id = $trace_id and kind = 'container'
having count(*) filter (workload not in (select workload from asked where cpu > 0)) > 0;
