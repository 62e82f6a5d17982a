-- Azure Public Dataset VM traces V1 (2017) and V2 (2019): vmtable and vm_cpu_readings, CSV without header
--
-- Columns: github.com/Azure/AzurePublicDataset, AzurePublicDatasetV1.md and V2.md; the notebook names the buckets.
-- Readings are percent of the VM's cores, one every five minutes, minimum, maximum and average in this order; one file
-- holds all VMs for a stretch of time. Memory is never measured. Times are seconds from the start of the recording, of
-- which 2e9 are 63 years.

create temp table vmtable (
    vmid varchar not null,
    subscriptionid varchar,
    deploymentid varchar,
    vmcreated bigint check (vmcreated between 0 and 2e9),
    vmdeleted bigint check (vmdeleted between 0 and 2e9),
    maxcpu double check (maxcpu between 0 and 101),
    avgcpu double check (avgcpu between 0 and 101),
    p95maxcpu double check (p95maxcpu between 0 and 101),
    vmcategory varchar check (try_cast(vmcategory as double) is null),
    vmcorecount varchar not null check (regexp_full_match(vmcorecount, '>?\s*[0-9]+(\.[0-9]+)?')),
    vmmemory varchar not null check (regexp_full_match(vmmemory, '>?\s*[0-9]+(\.[0-9]+)?'))
);
comment on table vmtable is '{"header": false}';

create temp table readings (
    second bigint not null check (second between 0 and 2e9),
    vmid varchar not null,
    mincpu double check (mincpu between 0 and 101),
    maxcpu double check (maxcpu between 0 and 101),
    avgcpu double not null check (avgcpu between 0 and 101)
);
comment on table readings is '{"header": false, "streamed": true}';

-- Part of the official folder; nothing in them is needed.
create temp table deployments (deploymentid varchar not null, deploymentsize bigint not null);
comment on table deployments is '{"header": false, "aside": true}';
create temp table subscriptions (subscriptionid varchar not null, firstcreated bigint not null, vms bigint not null);
comment on table subscriptions is '{"header": false, "aside": true}';

-- Settings. The top buckets stand for anything larger; the dataset's notebook counts them as 30 cores and 70 GB.
create temp macro cores_of(bucket) as
    case when bucket like '>%' then 30.0 else try_cast(bucket as double) end;
create temp macro memory_gib_of(bucket) as
    case when bucket like '>%' then 70.0 else try_cast(bucket as double) end;
-- The dataset does not tell its dates: second 0 is taken as a Monday, 00:00 UTC.
create temp macro moment(seconds) as timestamp '2019-01-07 00:00:00' + to_seconds(seconds);

-- A VM lives 300 seconds at least, as the dataset's notebook counts: the table ends some in the interval they begin in.
create temp view vms as
select distinct on (vmid) * replace (
    case when vmdeleted < vmcreated + 300 then vmcreated + 300 else vmdeleted end as vmdeleted
)
from vmtable order by vmid, vmcreated, vmdeleted, vmcorecount, vmmemory, avgcpu;

insert into usage by name
select
    $trace_id as trace_id, r.vmid as workload, moment(r.second) as sampled_at,
    r.avgcpu / 100 * cores_of(v.vmcorecount) as cpu_cores, r.avgcpu as cpu_percent
from readings r left join vms v using (vmid);

insert into workloads by name
select
    $trace_id as trace_id, vmid as workload, 'vm' as kind, subscriptionid as owner, deploymentid as application,
    cores_of(vmcorecount) as cpu_cores, memory_gib_of(vmmemory) as memory_gib,
    moment(vmcreated) as created_at, moment(vmdeleted) as deleted_at,
    avgcpu as cpu_percent_mean, p95maxcpu as cpu_percent_p95, maxcpu as cpu_percent_max
from vms;

-- Without a table the readings are all there is: VMs whose size the scenario must assume.
insert into workloads by name
select distinct $trace_id as trace_id, workload, 'vm' as kind
from usage where trace_id = $trace_id and not exists (from vmtable);

-- Readings of VMs that the table lacks stay in usage, but nothing is known that would size them.
with strangers as (
    select workload, count(*) as readings from usage u
    where trace_id = $trace_id
        and not exists (from workloads w where w.trace_id = $trace_id and w.workload = u.workload)
    group by workload
)
insert into notes
select format('{} readings name {} VMs that the table lacks: their size is unknown, they are left out of the demand',
    sum(readings), count(*))
from strangers having count(*) > 0;

insert into notes
select format('{} lines of the table name a VM that another line names; one of each counts', n)
from (select (select count(*) from vmtable) - (select count(*) from vms) as n) where n > 0;

insert into notes
select format('{} of {} VMs have no readings: their average and P95 of the table serve', count(*), any_value(n))
from (
    select workload, (select count(*) from vms) as n from workloads
    where trace_id = $trace_id and cpu_percent_mean is not null
        and workload not in (select distinct workload from usage where trace_id = $trace_id)
) having count(*) > 0;
