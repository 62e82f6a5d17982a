-- Alibaba cluster-trace-v2018: meta and usage of machines and containers, batch tasks and instances, CSV without header
--
-- Source: github.com/alibaba/clusterdata, cluster-trace-v2018/schema.md. Times are seconds from the start of the recording,
-- taken as 1970-01-01 00:00 UTC. cpu_request, plan_cpu and cpu_avg count 100 for a core; utilisation is percent of what a
-- machine has or a container asked for, -1 and 101 are invalid and count as missing. Memory is percent of the largest
-- machine's, whose size is not told: the scenario must assume it ([demand] assumed_memory_gib). Batch instances last
-- minutes: they are pooled by the machine they ran on, so that what they use together over time is kept. Batch tasks are
-- workloads, all instances at once, only where no instances are recorded; machines (servers, to be moved as they are) only
-- where nothing that runs on them is.

create temp table machine_usage (
    machine_id varchar not null check (machine_id <> '') check (not regexp_full_match(machine_id, '[0-9.]+')),
    time_stamp double not null check (time_stamp between 0 and 1e9),
    cpu_util_percent double check (cpu_util_percent between -1 and 101),
    mem_util_percent double check (mem_util_percent between -1 and 101),
    mem_gps double,
    mkpi double,
    net_in double,
    net_out double,
    disk_io_percent double
);
comment on table machine_usage is '{"header": false, "streamed": true}';

create temp table machine_meta (
    machine_id varchar not null check (machine_id <> '') check (not regexp_full_match(machine_id, '[0-9.]+')),
    time_stamp double not null check (time_stamp between 0 and 1e9),
    failure_domain_1 varchar check (number_or_empty(failure_domain_1)),
    failure_domain_2 varchar,
    cpu_num double not null check (cpu_num between 0 and 1e6),
    mem_size double not null check (mem_size between 0 and 100),
    status varchar
);
comment on table machine_meta is '{"header": false}';

create temp table container_usage (
    container_id varchar not null check (container_id <> '') check (not regexp_full_match(container_id, '[0-9.]+')),
    machine_id varchar,
    time_stamp double not null check (time_stamp between 0 and 1e9),
    cpu_util_percent double check (cpu_util_percent between -1 and 1e4),
    mem_util_percent double check (mem_util_percent between -1 and 101),
    cpi double,
    mem_gps double,
    mpki double,
    net_in double,
    net_out double,
    disk_io_percent double
);
comment on table container_usage is '{"header": false, "streamed": true}';

create temp table container_meta (
    container_id varchar not null check (container_id <> '') check (not regexp_full_match(container_id, '[0-9.]+')),
    machine_id varchar not null check (machine_id <> '') check (not regexp_full_match(machine_id, '[0-9.]+')),
    time_stamp double not null check (time_stamp between 0 and 1e9),
    app_du varchar,
    status varchar not null check (try_cast(status as double) is null),
    cpu_request double not null check (cpu_request between 0 and 1e7),
    cpu_limit double check (cpu_limit between 0 and 1e7),
    mem_size double check (mem_size between 0 and 100)
);
comment on table container_meta is '{"header": false}';

create temp table batch_task (
    task_name varchar not null check (task_name <> ''),
    instance_num double not null check (instance_num between 0 and 1e9),
    job_name varchar not null check (job_name <> ''),
    task_type varchar,
    status varchar not null check (try_cast(status as double) is null),
    start_time double check (start_time between 0 and 1e8),
    end_time double check (end_time between 0 and 1e8),
    plan_cpu double check (plan_cpu between 0 and 1e7),
    plan_mem double check (plan_mem between 0 and 1e4)
);
comment on table batch_task is '{"header": false}';

create temp table batch_instance (
    instance_name varchar,
    task_name varchar not null check (task_name <> ''),
    job_name varchar not null check (job_name <> ''),
    task_type varchar,
    status varchar not null check (try_cast(status as double) is null),
    start_time double check (start_time between 0 and 1e8),
    end_time double check (end_time between 0 and 1e8),
    machine_id varchar,
    seq_no double,
    total_seq_no double,
    cpu_avg double check (cpu_avg between 0 and 1e7),
    cpu_max double,
    mem_avg double check (mem_avg between 0 and 1e4),
    mem_max double
);
comment on table batch_instance is '{"header": false}';

create temp macro moment(seconds) as make_timestamp(cast(round(seconds * 1e6) as bigint));
create temp macro valid(percent) as case when percent >= 0 and percent <> 101 then percent end;

create temp table sized as
select
    container_id, any_value(app_du) as app, max(cpu_request) / 100 as cores, max(mem_size) / 100 as memory,
    min(time_stamp) as since
from container_meta
group by container_id;

insert into usage by name
select
    $trace_id as trace_id, u.container_id as workload, moment(u.time_stamp) as sampled_at,
    valid(u.cpu_util_percent) / 100 * s.cores as cpu_cores, valid(u.cpu_util_percent) as cpu_percent,
    valid(u.mem_util_percent) * coalesce(s.memory, 1) as memory_percent
from container_usage u left join sized s using (container_id);

-- A batch instance counts in each five minutes by the part of them that it ran, a second at least.
create temp table runs as
select 'batch/' || machine_id as workload, coalesce(cpu_avg, 0) / 100 as cores, coalesce(mem_avg, 0) as memory_percent,
    start_time as a, greatest(end_time, start_time + 1) as b
from batch_instance
where machine_id is not null and end_time > 0 and end_time >= start_time and coalesce(cpu_avg, mem_avg) is not null;

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
    $trace_id as trace_id, u.machine_id as workload, moment(u.time_stamp) as sampled_at,
    valid(u.cpu_util_percent) / 100 * m.cpu_num as cpu_cores, valid(u.cpu_util_percent) as cpu_percent,
    valid(u.mem_util_percent) * coalesce(m.mem_size / 100, 1) as memory_percent
from machine_usage u
left join (select machine_id, max(cpu_num) as cpu_num, max(mem_size) as mem_size from machine_meta group by all) m
using (machine_id);

insert into workloads by name
select
    $trace_id as trace_id, workload, 'container' as kind, s.app as application, s.cores as cpu_cores,
    s.memory as memory_share, moment(nullif(s.since, 0)) as created_at
from (select workload from running where not starts_with(workload, 'batch/')) r
full join (select container_id as workload, * from sized) s using (workload);

-- A pool is as large as the most that was used of it.
insert into workloads by name
select
    $trace_id as trace_id, workload, 'container' as kind, 'batch' as application, max(cpu_cores) as cpu_cores,
    max(memory_percent) / 100 as memory_share, true as interruptible, true as scales_out
from pieces
group by workload;

insert into workloads by name
select
    $trace_id as trace_id, job_name || '/' || task_name as workload, 'container' as kind, job_name as application,
    max(plan_cpu / 100 * instance_num) as cpu_cores, max(plan_mem / 100 * instance_num) as memory_share,
    true as interruptible, true as scales_out, moment(nullif(min(start_time), 0)) as created_at,
    case when max(end_time) > min(start_time) then moment(max(end_time)) end as deleted_at
from batch_task where not exists (from pieces)
group by job_name, task_name;

create temp table racked as
select
    coalesce(m.machine_id, u.workload) as workload, m.cores, m.memory, m.since
from (select machine_id, max(cpu_num) as cores, max(mem_size) / 100 as memory, min(time_stamp) as since
    from machine_meta group by machine_id) m
full join (
    select distinct workload from usage where trace_id = $trace_id and workload not in (from running)
) u on u.workload = m.machine_id;

insert into workloads by name
select
    $trace_id as trace_id, workload, 'server' as kind, cores as cpu_cores, memory as memory_share,
    moment(nullif(since, 0)) as created_at
from racked where not exists (from workloads where trace_id = $trace_id);

insert into notes
select 'memory is a share of the largest machine: the scenario must assume its GiB' from (select 1);

insert into notes
select 'no date is recorded: second 0 is taken as 1970-01-01 00:00 UTC, a Thursday' from (select 1);

insert into notes
select format('{} machines with {} cores are what all this runs on, no demand of their own', count(*), coalesce(sum(cores), 0))
from racked where exists (from workloads where trace_id = $trace_id and kind = 'container') having count(*) > 0;

insert into notes
select format('{} of {} samples have an invalid or no value of CPU or memory', count(*) filter (bad), count(*))
from (
    select coalesce(cpu_cores, cpu_percent) is null or coalesce(memory_gib, memory_percent) is null as bad
    from usage where trace_id = $trace_id
) having count(*) filter (bad) > 0;

insert into notes
select format('{} of {} batch instances did not end, or have no machine or no measure: they are left out',
    count(*) filter (machine_id is null or start_time is null or coalesce(end_time, 0) <= 0 or end_time < start_time
        or coalesce(cpu_avg, mem_avg) is null), count(*))
from batch_instance
having count(*) filter (machine_id is null or start_time is null or coalesce(end_time, 0) <= 0 or end_time < start_time
    or coalesce(cpu_avg, mem_avg) is null) > 0;

insert into notes
select format('batch instances are pooled by machine, in {} pools; {} batch tasks say what they asked for and are not used',
    count(distinct workload), (select count(*) from batch_task))
from pieces having count(*) > 0;

insert into notes
select format('{} batch tasks are sized as allocated, all their instances at once', count(*))
from batch_task where not exists (from pieces) having count(*) > 0;
