-- Google ClusterData 2019 (v3): instance_usage, instance_events and machine_events, CSV with flattened columns
--
-- Source: github.com/google/cluster-data, ClusterData2019.md and its format + schema document. The nested fields are flat,
-- as in average_usage.cpus (or average_usage_cpus), in CSV, and as they are in Parquet and in JSON, one object a line or
-- all in a list; columns of other names are skipped. Times are microseconds; 600 s are
-- 2019-05-01 00:00 PDT, 0 is before the trace, 2^63-1 after it. CPU and memory are shares of the largest machine, whose
-- size is not told: the scenario must assume it ([demand] assumed_cpu_cores and assumed_memory_gib). An instance is a
-- container of what it asked for (instance_events), or of the most it used where that is not told. Alloc sets only reserve
-- what the instances in them use. Machines are what these run on: they are workloads (servers, to be moved as they are)
-- only where no instances are recorded.

create temp table instance_usage (
    start_time bigint not null check (start_time between 0 and 1e16),
    end_time bigint check (end_time between 0 and 1e16),
    collection_id bigint not null check (collection_id >= 0),
    instance_index bigint not null,
    machine_id bigint,
    collection_type varchar,
    average_usage_cpus double check (average_usage_cpus between 0 and 1e3),
    average_usage_memory double check (average_usage_memory between 0 and 1e3),
    check (coalesce(average_usage_cpus, average_usage_memory) is not null),
    check (end_time >= start_time)
);
comment on table instance_usage is '{"streamed": true, "tabled": true,
    "keys": ["start_time", "collection_id", "instance_index", "average_usage"]}';
comment on column instance_usage.average_usage_cpus is 'average_usage.cpus|avg_usage.cpus|average_usage_cpu';
comment on column instance_usage.average_usage_memory is 'average_usage.memory|avg_usage.memory|average_usage_mem';

create temp table instance_events (
    "time" bigint not null check ("time" >= 0),
    type varchar not null,
    collection_id bigint not null check (collection_id >= 0),
    instance_index bigint not null,
    priority integer,
    collection_type varchar,
    resource_request_cpus double check (resource_request_cpus between 0 and 1e3),
    resource_request_memory double check (resource_request_memory between 0 and 1e3)
);
comment on table instance_events is '{"tabled": true, "keys": ["time", "type", "collection_id", "instance_index"]}';
comment on column instance_events.type is 'event_type';
comment on column instance_events.resource_request_cpus is 'resource_request.cpus|resource_request_cpu';
comment on column instance_events.resource_request_memory is 'resource_request.memory|resource_request_mem';

create temp table machine_events (
    "time" bigint not null check ("time" >= 0),
    machine_id bigint not null check (machine_id >= 0),
    type varchar not null,
    capacity_cpus double check (capacity_cpus between 0 and 1e3),
    capacity_memory double check (capacity_memory between 0 and 1e3),
    check (coalesce(capacity_cpus, capacity_memory, 0) >= 0)
);
comment on table machine_events is '{"tabled": true, "keys": ["time", "type", "machine_id", "capacity"]}';
comment on column machine_events.type is 'event_type';

create temp view instance_usage_in_document as
select r->>'start_time' as start_time, r->>'end_time' as end_time, r->>'collection_id' as collection_id,
    r->>'instance_index' as instance_index, r->>'machine_id' as machine_id, r->>'collection_type' as collection_type,
    r->>'$.average_usage.cpus' as average_usage_cpus, r->>'$.average_usage.memory' as average_usage_memory
from (select body as r from objects_in('document'));

create temp view instance_events_in_document as
select r->>'time' as time, r->>'type' as type, r->>'collection_id' as collection_id,
    r->>'instance_index' as instance_index, r->>'priority' as priority, r->>'collection_type' as collection_type,
    r->>'$.resource_request.cpus' as resource_request_cpus, r->>'$.resource_request.memory' as resource_request_memory
from (select body as r from objects_in('document'));

create temp view machine_events_in_document as
select r->>'time' as time, r->>'machine_id' as machine_id, r->>'type' as type,
    r->>'$.capacity.cpus' as capacity_cpus, r->>'$.capacity.memory' as capacity_memory
from (select body as r from objects_in('document'));

-- Part of the official tables; nothing in them is needed.
create temp table collection_events (
    "time" bigint not null, type varchar not null, collection_id bigint not null, scheduling_class integer, priority integer
);
comment on table collection_events is '{"aside": true}';
create temp table machine_attributes (
    "time" bigint not null, machine_id bigint not null, name varchar not null, value varchar, deleted varchar
);
comment on table machine_attributes is '{"aside": true}';

create temp macro moment(us) as
    case when us between 1 and 1e16 then timestamp '2019-05-01 06:50:00' + to_microseconds(us) end;
create temp macro instance(collection_type, id, number) as
    case when collection_type in ('1', '1.0', 'ALLOC_SET') then 'alloc/' else '' end || id || '-' || number;
create temp macro ends(type) as
    regexp_replace(upper(type), '\.0$', '') in ('4', '5', '6', '7', '8', 'EVICT', 'FAIL', 'FINISH', 'KILL', 'LOST');
create temp macro begins(type) as
    regexp_replace(upper(type), '\.0$', '') in ('0', '1', '2', '3', 'SUBMIT', 'QUEUE', 'ENABLE', 'SCHEDULE');

insert into usage by name
select
    $trace_id as trace_id, instance(collection_type, collection_id, instance_index) as workload,
    moment(greatest(start_time, 1)) as sampled_at,
    100 * average_usage_cpus as cpu_percent, 100 * average_usage_memory as memory_percent
from instance_usage;

-- What is asked for last counts; priorities up to 99 are the free tier.
create temp table asked as
select
    instance(max(collection_type), collection_id, instance_index) as workload,
    arg_max(resource_request_cpus, ("time", resource_request_cpus)) as cpu,
    arg_max(resource_request_memory, ("time", resource_request_memory)) as memory,
    max(priority) as priority, moment(min("time")) as created_at,
    case when max("time") filter (ends(type)) > max("time") filter (begins(type)) then moment(max("time")) end as deleted_at
from instance_events
group by collection_id, instance_index;

insert into workloads by name
with used as (
    select workload, max(cpu_percent) / 100 as cpu, max(memory_percent) / 100 as memory
    from usage where trace_id = $trace_id group by workload
)
select
    $trace_id as trace_id, workload, 'container' as kind, split_part(workload, '-', 1) as application,
    coalesce(nullif(a.cpu, 0), u.cpu) as cpu_share, coalesce(nullif(a.memory, 0), u.memory) as memory_share,
    a.priority <= 99 as interruptible, a.created_at, a.deleted_at
from used u full join asked a using (workload)
where not starts_with(workload, 'alloc/');

create temp macro removes(type) as regexp_replace(upper(type), '\.0$', '') in ('2', 'REMOVE');
create temp table racked as
select cast(machine_id as varchar) as workload, max(capacity_cpus) as cpu, max(capacity_memory) as memory,
    moment(min("time")) as created_at,
    case when max("time") filter (removes(type)) > max("time") filter (not removes(type)) then moment(max("time")) end
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
select format('{} machines, together {} of the largest in cores and {} in memory, are what the instances run on, no demand '
    'of their own', count(*), round(sum(cpu), 2), round(sum(memory), 2))
from racked where exists (from workloads where trace_id = $trace_id and kind = 'container') having count(*) > 0;

insert into notes
select format('{} samples are of {} instances of alloc sets, which reserve for others: they are left out', count(*),
    count(distinct workload))
from usage where trace_id = $trace_id and starts_with(workload, 'alloc/') having count(*) > 0;

insert into notes
select format('{} of {} instances have no event that tells what they asked for: they are as large as the most they used',
    count(*) filter (workload not in (select workload from asked where cpu > 0)), count(*))
from workloads where trace_id = $trace_id and kind = 'container'
having count(*) filter (workload not in (select workload from asked where cpu > 0)) > 0;
